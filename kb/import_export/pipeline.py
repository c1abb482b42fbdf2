"""The steps of an import in order: read a file, plan it, write the plan, undo it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from kb.accounts import audit_log
from kb.import_export import cells, import_undo
from kb.import_export.columns import FieldsByHeading, fold_heading
from kb.import_export.export.export_rows import prepare_export
from kb.import_export.import_plan import ImportPlan
from kb.import_export.import_undo import UndoResult
from kb.import_export.plan import planner
from kb.import_export.plan.row_kind import ImportOptions, ReportProgress, RowKind
from kb.import_export.read import other_tools, table_reader
from kb.import_export.read.file_source import derive_file_source
from kb.import_export.rows.category_rows import CategoryRows
from kb.import_export.rows.child_rows import PhrasingRows, ReplyRows
from kb.import_export.rows.entry_rows import EntryRows
from kb.import_export.rows.question_rows import QuestionRows
from kb.import_export.rows.snippet_rows import SnippetRows
from kb.import_export.rows.style_rule_rows import StyleRuleRows
from kb.import_export.rows.vocabulary_rows import (
    RelevanceTestRows,
    StopWordRows,
    SynonymRows,
    WordRows,
)
from kb.import_export.table import Table, add_header_row
from kb.index import sync
from kb.models import AuditEvent, ImportBatch, ImportColumnName, User

ROW_KINDS: dict[str, type[RowKind]] = {
    kind.name: kind
    for kind in (
        CategoryRows,
        SnippetRows,
        EntryRows,
        QuestionRows,
        ReplyRows,
        PhrasingRows,
        SynonymRows,
        WordRows,
        StopWordRows,
        StyleRuleRows,
        RelevanceTestRows,
    )
}
CONFLICT_MESSAGE = "导入期间有人改了同样的内容，没有写入任何内容，请再导入一次。"


def _ignore_progress(step: str, done: int, count: int) -> None:
    """Report no progress: the default of `ReportProgress` parameters."""


def load_column_names(kind: str) -> dict[str, str]:
    """Return {heading: field} as users have assigned them; "" is not read."""
    rows = ImportColumnName.objects.filter(kind=kind)
    return dict(rows.values_list("heading", "field"))


def save_column_names(kind: str, fields_by_heading: Mapping[str, str]) -> None:
    """Remember which fields headings mean, "" for what is not read.

    Raises ValidationError for a field that the kind does not have.
    """
    known_fields = ROW_KINDS[kind].columns.headings_by_field
    for heading, field in fields_by_heading.items():
        if field and field not in known_fields:
            raise ValidationError(f"没有「{field}」这一列。")
        ImportColumnName.objects.update_or_create(
            kind=kind,
            heading=fold_heading(heading)[:100],
            defaults={"field": field},
        )


def read_import_file(
    name: str,
    data: bytes,
    *,
    kind: str,
    encoding: str = "",
    strict: bool = True,
    heads: Sequence[str] = (),
) -> Table:
    """Return the table in a file; raises ValidationError when it holds none of `kind`.

    Without `strict` a table may lack required columns: the user is about to assign
    them. `heads` are the headings of a file without a header, "" for what is not read.
    """
    columns, saved_names = ROW_KINDS[kind].columns, load_column_names(kind)

    def count_known_headings(headings: Sequence[str]) -> int:
        return columns.count_known_headings(headings, saved_names)

    table = table_reader.read_table(
        name, data, score=count_known_headings, encoding=encoding
    )
    if heads:
        table = add_header_row(table, heads)
    if kind == EntryRows.name:
        table = other_tools.adapt_foreign_table(table)
    if strict:
        columns.match_header(table, saved_names)
    if not table.rows:
        raise ValidationError("文件只有表头，没有数据。")
    return table


def find_default_source(table: Table, *, kind: str) -> str:
    """Return the source of rows that name none: the tool or the name of the file.

    "" for kinds without a source, and where the file has a column for it: an empty
    cell there means that the row has none.
    """
    columns = ROW_KINDS[kind].columns
    if "source" not in columns.headings_by_field:
        return ""
    if "source" in columns.match_header(table, load_column_names(kind)).positions:
        return ""
    return table.source or derive_file_source(table.name)


def fill_default_source(
    options: ImportOptions, table: Table, *, kind: str
) -> ImportOptions:
    """Return `options` with the default source where they name none."""
    default = find_default_source(table, kind=kind)
    source = options.source or default
    is_default = bool(default) and source == default and not table.source
    return replace(options, source=source, is_source_default=is_default)


def list_export_headings(kind: str) -> list[str]:
    """Return the headings of an export of `kind`, as the importer knows them."""
    headings = ROW_KINDS[kind].columns.headings_by_field
    return [headings[field][0] for field in prepare_export(kind).fields]


def plan_import(
    table: Table,
    *,
    kind: str,
    options: ImportOptions,
    progress: ReportProgress = _ignore_progress,
) -> ImportPlan:
    """Return what importing `table` as `kind` would do; nothing is written.

    Raises ValidationError when required columns are missing, or when the file would
    create too many or forbidden names.
    """
    saved_names = load_column_names(kind)
    layout = ROW_KINDS[kind].columns.match_header(table, saved_names)
    source = options.source or table.source
    row_kind = ROW_KINDS[kind](replace(options, source=source), layout)
    rows = planner.parse_rows(row_kind, table.rows, len(table.header.cells))
    planned_rows = planner.plan_rows(row_kind, rows, progress)
    notes = [*table.notes, *row_kind.taxonomy.describe_new_names()]
    notes += _describe_saved_names(table, kind, saved_names)
    if count := sum(1 for row in planned_rows if row.notes):
        notes.append(f"有 {count} 行要留意，原因写在各行后面")
    if layout.unknown_headings:
        notes.append(f"不认识这些列，没有读：{'、'.join(layout.unknown_headings)}")
    if layout.running_number_headings:
        notes.append(
            f"「{'、'.join(layout.running_number_headings)}」只是第几行，不当作编号"
        )
    evidence = sorted(row_kind.evidence, key=repr)
    return ImportPlan(table, planned_rows, notes, row_kind, evidence=evidence)


def apply_import(
    plan: ImportPlan,
    *,
    by: User | None,
    skip_bad: bool = False,
    wait: bool = True,
    progress: ReportProgress = _ignore_progress,
) -> int:
    """Write `plan`, all or nothing; return how many rows were written.

    Without `wait` the search index, which takes most of the time, is left to the
    scheduled jobs. Raises ValidationError, with nothing written, when rows are refused
    and `skip_bad` is not set, or when data that the plan is based on was changed since.
    """
    if plan.refused_rows and not skip_bad:
        raise ValidationError(
            f"有 {len(plan.refused_rows)} 行不能导入，没有写入任何内容。"
        )
    if not plan.written_row_count:
        return 0
    plan.row_kind.prepare_rows(progress)
    progress("写入和建立索引", 0, plan.written_row_count)
    try:
        with transaction.atomic():
            _write_import(plan, by)
    except IntegrityError:
        raise ValidationError(CONFLICT_MESSAGE, code="conflict") from None
    if wait:
        sync.sync_all_marks(max_marks=plan.written_row_count)
    progress("写入和建立索引", plan.written_row_count, plan.written_row_count)
    return plan.written_row_count


def _write_import(plan: ImportPlan, by: User | None) -> None:
    if planner.has_changed_since_plan(plan.row_kind):
        raise ValidationError(CONFLICT_MESSAGE, code="conflict")
    plan.row_kind.store_rows(by)
    plan.batch = import_undo.record_import(plan, by=by)
    summary = f"{plan.table.name}：{plan.written_row_count} 行"
    audit_log.record_event(AuditEvent.Action.IMPORTED, summary, by=by)


def undo_import(batch: ImportBatch, *, by: User | None) -> UndoResult:
    """Undo a whole import; rows that were changed since stay, with the reason."""
    return import_undo.undo_import_rows(batch, ROW_KINDS[batch.kind], by=by)


def _describe_saved_names(
    table: Table, kind: str, saved_names: FieldsByHeading
) -> list[str]:
    """Return a note on the columns that are read as assigned in an earlier import."""
    headings = ROW_KINDS[kind].columns.headings_by_field
    assigned = [
        f"{cells.shorten_for_message(heading, 20)}"
        f" → {headings[field][0] if field else '不读'}"
        for heading in table.header.cells
        if (field := saved_names.get(fold_heading(heading))) is not None
    ]
    return [f"按以前的对应：{'、'.join(assigned)}"] if assigned else []
