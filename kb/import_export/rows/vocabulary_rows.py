"""Rows of the vocabulary and golden queries: few, each saved for itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from kb.import_export import cells, multi_value_cells
from kb.import_export.columns import ColumnLayout, KindColumns
from kb.import_export.import_plan import describe_column_error
from kb.import_export.plan.planner import (
    ImportOptions,
    ParsedRow,
    ReportProgress,
    RowKey,
    RowKind,
    StampsByKey,
)
from kb.import_export.rows.child_rows import ENTRY_REFERENCE_COLUMNS, EntryLookup
from kb.import_export.table import TableRow
from kb.library.entries import category_scopes
from kb.models import (
    DictionaryWord,
    RelevanceTest,
    SearchSide,
    StopWord,
    SynonymSet,
    User,
)
from kb.text.chinese import normalize

YES_NO_BY_NAME = {
    "是": "yes",
    "否": "no",
    "true": "yes",
    "false": "no",
    "1": "yes",
    "0": "no",
}
WORD_TAGS_BY_NAME = {
    normalize.normalize_text(name): tag.value
    for tag in DictionaryWord.PartOfSpeech
    for name in (str(tag.label), tag.value)
}
NO_TAG_LABEL = "无"
SIDES_BY_NAME = {
    normalize.normalize_text(name): side.value
    for side in SearchSide
    for name in (str(side.label), side.value)
} | {"客服": SearchSide.STAFF.value, "客户": SearchSide.PUBLIC.value}


class SmallTableRows(RowKind):
    """A small table: read whole, and saved row by row so that everybody hears of it."""

    unchecked_columns: ClassVar[
        tuple[str, ...]
    ] = ()  # columns that need a query to be checked

    def make_row_key(self, row: TableRow, said: Mapping[str, str]) -> RowKey:
        if marked := self.find_marked_key(said):
            return marked
        if self.text_field not in said:
            return ("row", str(row.number))
        return self.make_file_key(said)

    def make_file_key(self, said: Mapping[str, str]) -> RowKey:
        """Return what a row of a file is known by."""
        return ("kept", normalize.normalize_text(said[self.text_field]))

    def make_database_key(self, row: Any) -> RowKey:
        """Return what a row of the database is known by: own_key."""
        return ("kept", normalize.normalize_text(getattr(row, self.text_field)))

    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        seen: StampsByKey = {}
        for row in self.model._default_manager.order_by("pk"):
            found = (
                row.pk,
                tuple(getattr(row, name) for name in self.compared_columns),
            )
            seen.setdefault(self.make_database_key(row), [found])
            seen["pk", str(row.pk)] = [found]
        return {key: seen[key] for key in keys if key in seen}

    def load_rows(self, pks: Collection[int]) -> Mapping[int, Model]:
        return self.model._default_manager.in_bulk(pks)

    def collect_values(self, wish: ParsedRow) -> dict[str, Any]:
        """Return the columns for which the row says something."""
        raise NotImplementedError

    def plan_row(self, wish: ParsedRow, found: Sequence[Any]) -> Sequence[str]:
        row = found[0] if found else self.model()
        changed = self.set_changed_values(row, self.collect_values(wish))
        if wish.reasons or not (changed or not found):
            return []
        if beyond := category_scopes.explain_scope_refusal(row, by=self.options.by):
            self.refuse_row(wish, self.text_field, beyond.rstrip("。"))
            return []
        try:
            row.full_clean(exclude=self.unchecked_columns)
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                told = "；".join(describe_column_error(name, one) for one in errors)
                self.refuse_row(wish, name, told)
            return []
        (self.changed_rows if found else self.new_rows).append(row)
        return changed

    def prepare_rows(self, progress: ReportProgress) -> None:
        """Nothing here takes time."""

    def store_rows(self, by: User | None) -> None:
        """Save each, having looked at it beside those that were saved before it."""
        for row in (*self.new_rows, *self.changed_rows):
            row.full_clean(exclude=self.unchecked_columns)
            row.save()


class SynonymRows(SmallTableRows):
    columns = KindColumns(
        {
            "mark": ["库内号", "mark"],
            "members": ["同义词", "词", "members", "words"],
            "two_way": ["互相都能找到", "双向", "two_way"],
            "topic": ["主题", "topic"],
        },
        required_groups=[["members"]],
    )
    name, model, text_field = "synonyms", SynonymSet, "members"
    compared_columns = ("members", "two_way", "topic")

    def make_file_key(self, said: Mapping[str, str]) -> RowKey:
        return (
            "kept",
            *sorted(map(normalize.normalize_text, _split_members(said["members"]))),
        )

    def make_database_key(self, row: SynonymSet) -> RowKey:
        return ("kept", *sorted(map(normalize.normalize_text, row.list_words())))

    def collect_values(self, wish: ParsedRow) -> dict[str, Any]:
        values: dict[str, Any] = {
            "members": "\n".join(_split_members(wish.values["members"]))
        }
        if both := self.parse_choice(wish, "two_way", YES_NO_BY_NAME):
            values["two_way"] = both == "yes"
        if topic := normalize.clean_single_line(wish.values.get("topic", "")):
            values["topic"] = topic
        return values


class WordRows(SmallTableRows):
    columns = KindColumns(
        {
            "mark": ["库内号", "mark"],
            "text": ["词", "词语", "text", "word"],
            "tag": ["词性", "tag"],
        },
        required_groups=[["text"]],
    )
    name, model, text_field = "words", DictionaryWord, "text"
    compared_columns = ("text", "tag")

    def collect_values(self, wish: ParsedRow) -> dict[str, Any]:
        text = normalize.normalize_text(
            normalize.clean_single_line(wish.values["text"])
        ).strip()
        if wish.values.get("tag") == NO_TAG_LABEL:
            return {"text": text, "tag": ""}
        tag = self.parse_choice(wish, "tag", WORD_TAGS_BY_NAME)
        return {"text": text} | ({"tag": tag} if tag else {})


class StopWordRows(SmallTableRows):
    columns = KindColumns(
        {"mark": ["库内号", "mark"], "text": ["停用词", "词", "text", "word"]},
        required_groups=[["text"]],
    )
    name, model, text_field = "stopwords", StopWord, "text"
    compared_columns = ("text",)

    def collect_values(self, wish: ParsedRow) -> dict[str, Any]:
        return {
            "text": normalize.normalize_text(
                normalize.clean_single_line(wish.values["text"])
            ).strip()
        }


class RelevanceTestRows(SmallTableRows):
    columns = KindColumns(
        {
            "mark": ["库内号", "mark"],
            "words": ["搜索的话", "搜索词", "words", "query"],
            "side": ["谁来搜", "side"],
            "within": ["最低名次", "within"],
            **ENTRY_REFERENCE_COLUMNS,
        },
        required_groups=[["words"]],
    )
    name, model, text_field = "golden", RelevanceTest, "words"
    compared_columns = ("words", "side", "entry_id", "within")
    unchecked_columns = ("entry", "created_by")

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        super().__init__(options, layout)
        self.entry_lookup = EntryLookup()

    def make_file_key(self, said: Mapping[str, str]) -> RowKey:
        side = SIDES_BY_NAME.get(
            normalize.normalize_text(said.get("side", "")), SearchSide.PUBLIC.value
        )
        return (
            "kept",
            normalize.clean_single_line(said["words"]),
            side,
            str(self._find_entry_id(said)),
        )

    def make_database_key(self, row: RelevanceTest) -> RowKey:
        return ("kept", row.words, row.side, str(row.entry_id))

    def _find_entry_id(self, said: Mapping[str, str]) -> int | None:
        try:
            return self.entry_lookup.find_entry_id(said, self.options.source)
        except ValueError:
            return None

    def collect_values(self, wish: ParsedRow) -> dict[str, Any]:
        values: dict[str, Any] = {
            "words": normalize.clean_single_line(wish.values["words"])
        }
        if side := self.parse_choice(wish, "side", SIDES_BY_NAME):
            values["side"] = side
        if said := wish.values.get("within"):
            if not (said.isascii() and said.isdecimal() and len(said) <= 2):  # noqa: PLR2004
                self.refuse_row(wish, "within", "要写成 1 到 20 的数字")
            else:
                values["within"] = int(said)
        if any(name in wish.values for name in ENTRY_REFERENCE_COLUMNS):
            try:
                values["entry_id"] = self.entry_lookup.find_entry_id(
                    wish.values, self.options.source
                )
            except ValueError as error:
                self.refuse_row(wish, "entry", str(error))
        return values

    def store_rows(self, by: User | None) -> None:
        """What is expected now was not tried yet."""
        for row in self.new_rows:
            row.created_by = by
        for row in self.changed_rows:
            row.rank, row.above = None, []
        super().store_rows(by)


def _split_members(text: str) -> list[str]:
    return multi_value_cells.split_cell(
        "\n;；|｜,，、=＝", cells.normalize_line_ends(text)
    )
