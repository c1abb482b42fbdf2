"""Questions and entries from CSV and XLSX: planned first, then all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from kb.accounts import audit_log
from kb.import_export import cells, columns, import_undo
from kb.import_export.export.export_rows import ExportKind, can_export, prepare_export
from kb.import_export.export.file_writer import iter_csv_lines, write_workbook
from kb.import_export.export.split_files import build_export_file, split_rows
from kb.import_export.import_plan import (
    ImportPlan,
    RowAction,
    RowConcern,
    iter_plan_csv,
    iter_refused_csv,
)
from kb.import_export.import_undo import UndoResult, count_rows_not_undone
from kb.import_export.plan import planner
from kb.import_export.plan.planner import (
    DUPLICATE_ACTIONS,
    SKIP_DUPLICATE,
    ImportOptions,
    ReportProgress,
    RowKind,
)
from kb.import_export.read import other_tools, table_reader
from kb.import_export.read.file_source import derive_file_source
from kb.import_export.rows.child_rows import PhrasingRows, ReplyRows
from kb.import_export.rows.entry_rows import EntryRows
from kb.import_export.rows.question_rows import QuestionRows
from kb.import_export.rows.style_rule_rows import StyleRuleRows
from kb.import_export.rows.vocabulary_rows import (
    RelevanceTestRows,
    StopWordRows,
    SynonymRows,
    WordRows,
)
from kb.import_export.table import MAX_FILE_BYTES, Table, add_header_row
from kb.index import sync
from kb.models import AuditEvent, ImportBatch, ImportColumnName, User

__all__ = [
    "DUPLICATE_ACTIONS",
    "MAX_FILE_BYTES",
    "ROW_KINDS",
    "SKIP_DUPLICATE",
    "ExportKind",
    "ImportOptions",
    "ImportPlan",
    "ReportProgress",
    "RowAction",
    "RowConcern",
    "Table",
    "UndoResult",
    "apply_import",
    "build_export_file",
    "can_export",
    "count_rows_not_undone",
    "fill_default_source",
    "find_default_source",
    "iter_csv_lines",
    "iter_plan_csv",
    "iter_refused_csv",
    "list_export_headings",
    "load_column_names",
    "plan_import",
    "prepare_export",
    "read_import_file",
    "save_column_names",
    "split_rows",
    "undo_import",
    "write_workbook",
]
ROW_KINDS: dict[str, type[RowKind]] = {
    kind.name: kind
    for kind in (
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


def _ignore_progress(what: str, done: int, count: int) -> None:
    """Report progress to nobody."""


def load_column_names(kind: str) -> dict[str, str]:
    """Return which fields headings mean that are none of ours, as somebody told."""
    rows = ImportColumnName.objects.filter(kind=kind)
    return dict(rows.values_list("heading", "field"))


def save_column_names(kind: str, meanings: Mapping[str, str]) -> None:
    """Remember what headings mean: {heading: field}, "" for what is not read."""
    fields = ROW_KINDS[kind].columns.headings_by_field
    for heading, field in meanings.items():
        if field and field not in fields:
            raise ValidationError(f"没有「{field}」这一列。")
        ImportColumnName.objects.update_or_create(
            kind=kind,
            heading=columns.fold_heading(heading)[:100],
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

    Not `strict`, a table may lack columns: somebody is about to tell which they are.
    `heads` are the headings of a file that has none, "" for what is not read.
    """
    ours, known = ROW_KINDS[kind].columns, load_column_names(kind)

    def count_known_headings(heads: Sequence[str]) -> int:
        return ours.count_known_headings(heads, known)

    table = table_reader.read_table(
        name, data, score=count_known_headings, encoding=encoding
    )
    if heads:
        table = add_header_row(table, heads)
    if kind == EntryRows.name:
        table = other_tools.adapt_foreign_table(table)
    if strict:
        ours.match_header(table, known)
    if not table.rows:
        raise ValidationError("文件只有表头，没有数据。")
    return table


def find_default_source(table: Table, *, kind: str) -> str:
    """Return the source of rows of which nobody says where they come from.

    Nothing for kinds whose rows have no source, and where the file has a column for
    it: an empty cell there says that a row has none.
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
    usual = find_default_source(table, kind=kind)
    source = options.source or usual
    is_default = bool(usual) and source == usual and not table.source
    return replace(options, source=source, is_source_default=is_default)


def list_export_headings(kind: str) -> list[str]:
    """Return the headings of an export of `kind`, as the importer knows them."""
    names = ROW_KINDS[kind].columns.headings_by_field
    return [names[field][0] for field in prepare_export(kind).fields]


def plan_import(
    table: Table,
    *,
    kind: str,
    options: ImportOptions,
    progress: ReportProgress = _ignore_progress,
) -> ImportPlan:
    """Return what importing `table`, read as `kind`, would do; nothing is written."""
    known = load_column_names(kind)
    layout = ROW_KINDS[kind].columns.match_header(table, known)
    source = options.source or table.source
    work = ROW_KINDS[kind](replace(options, source=source), layout)
    rows, width = table.rows, len(table.header.cells)
    asked = planner.parse_rows(work, rows, width)
    steps = planner.plan_rows(work, asked, len(rows), progress)
    notes = [*table.notes, *work.taxonomy.describe_new_names()]
    notes += _describe_column_names(table, kind, known)
    if warned := sum(1 for step in steps if step.notes):
        notes.append(f"有 {warned} 行要留意，原因写在各行后面")
    if layout.unknown_headings:
        notes.append(f"不认识这些列，没有读：{'、'.join(layout.unknown_headings)}")
    if layout.running_number_headings:
        notes.append(
            f"「{'、'.join(layout.running_number_headings)}」只是第几行，不当作编号"
        )
    evidence = sorted(work.evidence, key=repr)
    return ImportPlan(table, steps, notes, work, evidence=evidence)


def apply_import(
    plan: ImportPlan,
    *,
    by: User | None,
    skip_bad: bool = False,
    wait: bool = True,
    progress: ReportProgress = _ignore_progress,
) -> int:
    """Write what `plan` says, all or nothing; return how many rows were written.

    Not to `wait` leaves the index, most of the time it takes, to who keeps it up.
    Raises ValidationError, with nothing written, when rows are refused and not
    to be skipped, or when somebody changed meanwhile what the plan was based on.
    """
    if plan.refused_rows and not skip_bad:
        raise ValidationError(
            f"有 {len(plan.refused_rows)} 行不能导入，没有写入任何内容。"
        )
    if not plan.written_row_count:
        return 0
    plan.row_kind.prepare(progress)
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
    plan.row_kind.store(by)
    plan.batch = import_undo.record_import(plan, kind=plan.row_kind.name, by=by)
    told = f"{plan.table.name}：{plan.written_row_count} 行"
    audit_log.record_event(AuditEvent.Action.IMPORTED, told, by=by)


def undo_import(batch: ImportBatch, *, by: User | None) -> UndoResult:
    """Take a whole import back; rows that somebody changed since stay, and are named."""
    return import_undo.undo_import_rows(batch, ROW_KINDS[batch.kind], by=by)


def _describe_column_names(
    table: Table, kind: str, known: Mapping[str, str]
) -> list[str]:
    """Say which columns are read as somebody told, so that nobody is surprised."""
    names = ROW_KINDS[kind].columns.headings_by_field
    meant = [
        f"{cells.shorten_for_message(head, 20)} → {names[field][0] if field else '不读'}"
        for head in table.header.cells
        if (field := known.get(columns.fold_heading(head))) is not None
    ]
    return [f"按以前的对应：{'、'.join(meant)}"] if meant else []
