"""The rows of an export, as the importer reads them back, loaded in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet

from kb.import_export import cells
from kb.import_export.cells import (
    CATEGORY_PATH_SEPARATORS,
    PHRASING_SEPARATORS,
    SYNONYM_SEPARATORS,
    TAG_SEPARATORS,
    join_cell,
)
from kb.import_export.row_marks import make_row_mark
from kb.import_export.rows import style_rule_rows
from kb.import_export.rows.entry_rows import DEFAULT_REPLY_LABELS
from kb.import_export.rows.vocabulary_rows import NO_TAG_LABEL
from kb.models import (
    Category,
    CategoryRight,
    DictionaryWord,
    Entry,
    Phrasing,
    Question,
    RelevanceTest,
    Reply,
    Snippet,
    StopWord,
    StyleRule,
    SynonymSet,
    User,
    prefetch_shared_replies,
)
from kb.models.category_permission import get_permitted_category_ids

EXPORT_BATCH_ROWS = 500  # rows that one query loads
ExportLine = dict[str, str]  # {field: text of the cell}


@dataclass(frozen=True, slots=True)
class ExportKind:
    """One kind of export: the fields of a line in order, the rows, and their cells.

    `group_column` is a foreign key; rows with the same value of it are exported one
    after the other, and `split_files` keeps them in one file.
    """

    label: str
    fields: Sequence[str]
    get_rows: Callable[[], QuerySet[Any]]
    format_row: Callable[[Any], ExportLine]
    group_column: str = ""
    group_field: str = ""  # the field of a line that is equal within a group

    def iter_lines(self) -> Iterator[list[str]]:
        """Yield the cells of every row, in the order of `fields`."""
        for row in _iter_batched_rows(self.get_rows(), self.group_column):
            line = self.format_row(row)
            yield [
                cells.normalize_line_ends(line.get(name, "")) for name in self.fields
            ]


def _iter_batched_rows(rows: QuerySet[Any], group_column: str = "") -> Iterator[Model]:
    """Yield rows by group and id, each batch with a query: no long transaction."""
    ordered = rows.order_by(*filter(None, [group_column, "pk"]))
    batch = list(ordered[:EXPORT_BATCH_ROWS])
    while batch:
        yield from batch
        last = batch[-1]
        after = Q(pk__gt=last.pk)
        if group_column:
            group = getattr(last, group_column)
            after &= Q(**{group_column: group})
            after |= Q(**{f"{group_column}__gt": group})
        batch = list(ordered.filter(after)[:EXPORT_BATCH_ROWS])


class _CategoryPaths:
    """The path of names of every category, loaded once for an export."""

    def __init__(self) -> None:
        rows = Category.objects.values_list("pk", "name", "parent_id")
        self._names_and_parents = {pk: (name, parent) for pk, name, parent in rows}

    def get_path(self, pk: int | None) -> list[str]:
        path: list[str] = []
        while pk in self._names_and_parents:
            name, pk = self._names_and_parents[pk]
            path.insert(0, name)
        return path


def _select_entries() -> QuerySet[Entry]:
    parts = (
        prefetch_shared_replies(),
        "phrasings",
        "tags",
        "module",
        "window",
        "owner",
    )
    return Entry.objects.prefetch_related(*parts)


def _make_entry_formatter(paths: _CategoryPaths) -> Callable[[Entry], ExportLine]:
    def format_entry(entry: Entry) -> ExportLine:
        return {
            "mark": make_row_mark("entries", entry.pk),
            "source": entry.source,
            "external_id": entry.external_id,
            "question": entry.question,
            "answer": entry.answer,
            "category": join_cell(
                CATEGORY_PATH_SEPARATORS, paths.get_path(entry.category_id), by="/"
            ),
            "tags": join_cell(
                TAG_SEPARATORS, sorted(tag.name for tag in entry.tags.all())
            ),
            "similar": join_cell(
                PHRASING_SEPARATORS,
                [phrasing.text for phrasing in entry.phrasings.all()],
            ),
            "keywords": entry.keywords,
            "module": entry.module.name if entry.module else "",
            "audience": entry.get_audience_display(),
            "status": entry.get_status_display(),
            "valid_from": cells.format_time_cell(entry.valid_from),
            "valid_until": cells.format_time_cell(entry.valid_until),
            "slug": entry.slug,
            "window": entry.window.name if entry.window else "",
            "owner": entry.owner.username if entry.owner else "",
            "review_at": entry.review_at.isoformat() if entry.review_at else "",
            **_format_first_replies(entry.replies.all()),
        }

    return format_entry


def _format_first_replies(replies: Any) -> ExportLine:
    """Return the first reply of each label, as many as the row of an entry has."""
    first: dict[str, Reply] = {}
    for reply in replies:
        first.setdefault(reply.label, reply)
    line: ExportLine = {}
    for (name, default_label), (label, reply) in zip(
        DEFAULT_REPLY_LABELS.items(), first.items(), strict=False
    ):
        line[name] = reply.body
        if label != default_label:
            line[f"{name}_label"] = label
    return line


def _format_entry_reference(entry: Entry | None) -> ExportLine:
    if entry is None:
        return {}
    return {
        "entry_mark": make_row_mark("entries", entry.pk),
        "entry_source": entry.source,
        "entry_id": entry.external_id,
        "entry": entry.question,
    }


def _format_reply(reply: Reply) -> ExportLine:
    return {
        "mark": make_row_mark("replies", reply.pk),
        **_format_entry_reference(reply.entry),
        "label": reply.label,
        "tone": reply.get_tone_display(),
        "channel": reply.get_channel_display(),
        "segment": reply.segment.name if reply.segment else "",
        "order": str(reply.order),
        "body": reply.body,
    }


def _format_phrasing(phrasing: Phrasing) -> ExportLine:
    return {**_format_entry_reference(phrasing.entry), "text": phrasing.text}


def _format_question(question: Question) -> ExportLine:
    return {
        "mark": make_row_mark("questions", question.pk),
        "source": question.source,
        "external_id": question.external_id,
        "text": question.text,
        "answer": question.answer,
        "channel": question.get_channel_display(),
        "segment": question.segment,
        "module": question.module.name if question.module else "",
        "asked_at": cells.format_time_cell(question.asked_at),
    }


def _format_synonyms(row: SynonymSet) -> ExportLine:
    return {
        "mark": make_row_mark("synonyms", row.pk),
        "members": join_cell(SYNONYM_SEPARATORS, row.list_words()),
        "two_way": "是" if row.two_way else "否",
        "topic": row.topic,
    }


def _format_word(row: DictionaryWord) -> ExportLine:
    tag = row.get_tag_display() or NO_TAG_LABEL
    return {"mark": make_row_mark("words", row.pk), "text": row.text, "tag": tag}


def _format_stopword(row: StopWord) -> ExportLine:
    return {"mark": make_row_mark("stopwords", row.pk), "text": row.text}


def _format_relevance_test(row: RelevanceTest) -> ExportLine:
    return {
        "mark": make_row_mark("golden", row.pk),
        "words": row.words,
        "side": row.get_side_display(),
        "within": str(row.within),
        **_format_entry_reference(row.entry),
    }


def _format_snippet(row: Snippet) -> ExportLine:
    mark = make_row_mark("snippets", row.pk)
    return {"mark": mark, "name": row.name, "body": row.body}


def _make_category_formatter(paths: _CategoryPaths) -> Callable[[Category], ExportLine]:
    def format_category(row: Category) -> ExportLine:
        path = paths.get_path(row.pk)
        return {
            "category": join_cell(CATEGORY_PATH_SEPARATORS, path, by="/"),
            "position": str(row.position),
            "own_hant": row.own_hant,
            "review_every": str(row.review_every or ""),
        }

    return format_category


_ENTRY_REFERENCE_FIELDS = ("entry_mark", "entry_source", "entry_id", "entry")
_ENTRY_FIELDS = (
    "mark source external_id question answer category tags reply reply_label reply2"
    " reply2_label reply3 reply3_label similar keywords module audience status"
    " valid_from valid_until slug window owner review_at"
)


EXPORT_KINDS: dict[str, Callable[[], ExportKind]] = {
    "categories": lambda: ExportKind(
        "分类",
        ("category", "position", "own_hant", "review_every"),
        Category.objects.all,
        _make_category_formatter(_CategoryPaths()),
    ),
    "snippets": lambda: ExportKind(
        "片段", ("mark", "name", "body"), Snippet.objects.all, _format_snippet
    ),
    "entries": lambda: ExportKind(
        "条目",
        _ENTRY_FIELDS.split(),
        _select_entries,
        _make_entry_formatter(_CategoryPaths()),
    ),
    "replies": lambda: ExportKind(
        "话术",
        (
            "mark",
            *_ENTRY_REFERENCE_FIELDS,
            *"label tone channel segment order body".split(),
        ),
        lambda: Reply.objects.shared().select_related("entry", "segment"),
        _format_reply,
        # The importer counts the replies of an entry with the same label in a file.
        group_column="entry_id",
        group_field="entry_mark",
    ),
    "phrasings": lambda: ExportKind(
        "相似问法",
        (*_ENTRY_REFERENCE_FIELDS, "text"),
        lambda: Phrasing.objects.select_related("entry"),
        _format_phrasing,
    ),
    "questions": lambda: ExportKind(
        "问题",
        "mark source external_id text answer channel segment module asked_at".split(),
        lambda: Question.objects.select_related("module"),
        _format_question,
    ),
    "synonyms": lambda: ExportKind(
        "同义词",
        ("mark", "members", "two_way", "topic"),
        SynonymSet.objects.all,
        _format_synonyms,
    ),
    "words": lambda: ExportKind(
        "词典", ("mark", "text", "tag"), DictionaryWord.objects.all, _format_word
    ),
    "stopwords": lambda: ExportKind(
        "停用词", ("mark", "text"), StopWord.objects.all, _format_stopword
    ),
    "wording": lambda: ExportKind(
        "用词规则",
        list(style_rule_rows.StyleRuleRows.columns.headings_by_field),
        StyleRule.objects.all,
        style_rule_rows.format_style_rule,
    ),
    "golden": lambda: ExportKind(
        "搜索验收",
        ("mark", "words", "side", *_ENTRY_REFERENCE_FIELDS, "within"),
        lambda: RelevanceTest.objects.select_related("entry"),
        _format_relevance_test,
    ),
}


# The lookup from a row to its category. Rows of other kinds belong to the whole library.
CATEGORY_COLUMNS = {
    "categories": "pk",
    "entries": "category",
    "replies": "entry__category",
    "phrasings": "entry__category",
    "questions": "entry__category",
    "golden": "entry__category",
}


def can_export(kind: str, by: User | None) -> bool:
    """Return whether `by` may export `kind`, if only from their own categories."""
    return _get_exportable_categories(by) is None or kind in CATEGORY_COLUMNS


def prepare_export(kind: str, by: User | None = None) -> ExportKind:
    """Return the export of `kind`; for `by`, of the categories where they may write.

    None is a command, which exports everything. Raises KeyError for an unknown kind,
    and PermissionDenied.
    """
    export = EXPORT_KINDS[kind]()
    category_ids = _get_exportable_categories(by)
    if category_ids is None:
        return export
    if not can_export(kind, by):
        message = f"{export.label}不分分类，您负责的只是部分分类，不能导出。"
        raise PermissionDenied(message)
    within = {f"{CATEGORY_COLUMNS[kind]}__in": category_ids}
    return replace(export, get_rows=lambda: export.get_rows().filter(**within))


def _get_exportable_categories(by: User | None) -> Any:
    """Return the ids of categories that `by` is restricted to, None for no limit."""
    return None if by is None else get_permitted_category_ids(by, CategoryRight.WRITE)
