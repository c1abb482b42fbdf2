"""Rows of the vocabulary and relevance tests: small tables, saved row by row."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from kb.import_export.cells import SYNONYM_SEPARATORS
from kb.import_export.columns import ColumnLayout, KindColumns
from kb.import_export.plan.row_kind import (
    ImportOptions,
    ParsedRow,
    RowKey,
    RowKind,
    StampsByKey,
)
from kb.import_export.row_outcome import describe_column_error
from kb.import_export.rows.child_rows import ENTRY_REFERENCE_COLUMNS, EntryLookup
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
    """A small table: loaded whole, and saved row by row so that its signals are sent."""

    # Columns that full_clean would check with a query.
    unchecked_columns: ClassVar[tuple[str, ...]] = ()

    def make_row_key(self, parsed: ParsedRow) -> RowKey:
        if marked := self.find_marked_key(parsed):
            return marked
        if self.text_field not in parsed.values:
            return ("row", str(parsed.row.number))
        return self.make_file_key(parsed)

    def make_file_key(self, parsed: ParsedRow) -> RowKey:
        """Return what identifies a row of a file."""
        return ("own", normalize.normalize_text(parsed.values[self.text_field]))

    def make_database_key(self, row: Any) -> RowKey:
        """Return what identifies a database row, equal to `make_file_key`."""
        return ("own", normalize.normalize_text(getattr(row, self.text_field)))

    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        stamps: StampsByKey = {}
        for row in self.model._default_manager.order_by("pk"):
            columns = tuple(getattr(row, name) for name in self.compared_columns)
            stamps.setdefault(self.make_database_key(row), [(row.pk, columns)])
            stamps["pk", str(row.pk)] = [(row.pk, columns)]
        return {key: stamps[key] for key in keys if key in stamps}

    def load_rows(self, pks: Collection[int]) -> Mapping[int, Model]:
        return self.model._default_manager.in_bulk(pks)

    @abstractmethod
    def collect_values(self, parsed: ParsedRow) -> dict[str, Any]:
        """Return the columns for which the row has a value."""

    def plan_row(self, parsed: ParsedRow, existing: Sequence[Any]) -> Sequence[str]:
        row = existing[0] if existing else self.model()
        changed = self.set_changed_values(row, self.collect_values(parsed))
        if parsed.reasons or not (changed or not existing):
            return []
        if refusal := category_scopes.explain_scope_refusal(row, by=self.options.by):
            self.refuse_row(parsed, self.text_field, refusal.rstrip("。"))
            return []
        try:
            self.clean_row(row)
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                text = "；".join(describe_column_error(name, item) for item in errors)
                self.refuse_row(parsed, name, text)
            return []
        (self.changed_rows if existing else self.new_rows).append(row)
        return changed

    def clean_row(self, row: Any) -> None:
        """Check a database row while planning; raises ValidationError."""
        row.full_clean(exclude=self.unchecked_columns)

    def store_rows(self, by: User | None) -> None:
        """Save each row, checked again because rows before it were saved."""
        for row in (*self.new_rows, *self.changed_rows):
            row.full_clean(exclude=self.unchecked_columns)
            self.save_row(row, by=by)


class SynonymRows(SmallTableRows):
    columns = KindColumns(
        {
            "mark": ["库内号", "mark"],
            "members": ["同义词", "词", "members", "words"],
            "two_way": ["互相都能找到", "双向", "two_way"],
            "topic": ["主题", "topic"],
        },
        required_groups=[["members"]],
        single_line=("topic",),
        separators={"members": SYNONYM_SEPARATORS},
    )
    name, model, text_field = "synonyms", SynonymSet, "members"
    compared_columns = ("members", "two_way", "topic")

    def make_file_key(self, parsed: ParsedRow) -> RowKey:
        members = parsed.lists["members"]
        return ("own", *sorted(map(normalize.normalize_text, members)))

    def make_database_key(self, row: SynonymSet) -> RowKey:
        return ("own", *sorted(map(normalize.normalize_text, row.list_words())))

    def collect_values(self, parsed: ParsedRow) -> dict[str, Any]:
        values: dict[str, Any] = {"members": "\n".join(parsed.lists["members"])}
        if two_way := self.parse_choice(parsed, "two_way", YES_NO_BY_NAME):
            values["two_way"] = two_way == "yes"
        if topic := parsed.values.get("topic"):
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
        single_line=("text",),
    )
    name, model, text_field = "words", DictionaryWord, "text"
    compared_columns = ("text", "tag")

    def collect_values(self, parsed: ParsedRow) -> dict[str, Any]:
        text = normalize.normalize_text(parsed.values["text"]).strip()
        if parsed.values.get("tag") == NO_TAG_LABEL:
            return {"text": text, "tag": ""}
        tag = self.parse_choice(parsed, "tag", WORD_TAGS_BY_NAME)
        return {"text": text} | ({"tag": tag} if tag else {})


class StopWordRows(SmallTableRows):
    columns = KindColumns(
        {"mark": ["库内号", "mark"], "text": ["停用词", "词", "text", "word"]},
        required_groups=[["text"]],
        single_line=("text",),
    )
    name, model, text_field = "stopwords", StopWord, "text"
    compared_columns = ("text",)

    def collect_values(self, parsed: ParsedRow) -> dict[str, Any]:
        return {"text": normalize.normalize_text(parsed.values["text"]).strip()}


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
        single_line=("words",),
    )
    name, model, text_field = "golden", RelevanceTest, "words"
    compared_columns = ("words", "side", "entry_id", "within")
    unchecked_columns = ("entry", "created_by")

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        super().__init__(options, layout)
        self.entry_lookup = EntryLookup()

    def analyse_row(self, parsed: ParsedRow) -> None:
        """Find the entry that the row names, if it names one."""
        if any(name in parsed.values for name in ENTRY_REFERENCE_COLUMNS):
            self.entry_lookup.resolve_reference(parsed, self.options.source)

    def make_file_key(self, parsed: ParsedRow) -> RowKey:
        label = normalize.normalize_text(parsed.values.get("side", ""))
        side = SIDES_BY_NAME.get(label, SearchSide.PUBLIC.value)
        return ("own", parsed.values["words"], side, str(parsed.entry_id))

    def make_database_key(self, row: RelevanceTest) -> RowKey:
        return ("own", row.words, row.side, str(row.entry_id))

    def collect_values(self, parsed: ParsedRow) -> dict[str, Any]:
        values: dict[str, Any] = {"words": parsed.values["words"]}
        if side := self.parse_choice(parsed, "side", SIDES_BY_NAME):
            values["side"] = side
        within = self.parse_count(
            parsed, "within", "要写成 1 到 20 的数字", max_digits=2
        )
        if within is not None:
            values["within"] = within
        if parsed.entry_error:
            self.refuse_row(parsed, "entry", parsed.entry_error)
        elif parsed.entry_id is not None:
            values["entry_id"] = parsed.entry_id
        return values

    def store_rows(self, by: User | None) -> None:
        """Save the rows; changed ones lose the result of their last run."""
        for row in self.new_rows:
            row.created_by = by
        for row in self.changed_rows:
            row.rank, row.above = None, []
        super().store_rows(by)
