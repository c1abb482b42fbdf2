"""Questions and entries from CSV and XLSX: planned first, then all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from kb import audit, index
from kb.models import ColumnName, Deed, Import, User
from kb.transfer import cells, columns, others, planning, reading, undoing
from kb.transfer.entries import Entries
from kb.transfer.hanging import Phrasings, Replies
from kb.transfer.leaving import Export, export, may_export
from kb.transfer.origin import file_source
from kb.transfer.parting import bundle, parts
from kb.transfer.planning import CHOICES, SKIP, Kind, Options, Progress
from kb.transfer.questions import Questions
from kb.transfer.report import Action, Concern, Plan, rejects, report
from kb.transfer.rules import Wording
from kb.transfer.table import MAX_BYTES, Table, headed
from kb.transfer.undoing import Undone, stayed
from kb.transfer.words import Goldens, StopWords, Synonyms, Words
from kb.transfer.writing import csv_lines, write_workbook

__all__ = [
    "CHOICES",
    "KINDS",
    "MAX_BYTES",
    "SKIP",
    "Action",
    "Concern",
    "Export",
    "Options",
    "Plan",
    "Progress",
    "Table",
    "Undone",
    "apply",
    "bundle",
    "csv_lines",
    "default_source",
    "export",
    "heads",
    "may_export",
    "parts",
    "plan",
    "read",
    "rejects",
    "report",
    "sourced",
    "stayed",
    "tell",
    "told",
    "undo",
    "write_workbook",
]
KINDS: dict[str, type[Kind]] = {
    kind.name: kind
    for kind in (
        Entries,
        Questions,
        Replies,
        Phrasings,
        Synonyms,
        Words,
        StopWords,
        Wording,
        Goldens,
    )
}
MOVED = "导入期间有人改了同样的内容，没有写入任何内容，请再导入一次。"


def _quietly(what: str, done: int, count: int) -> None:
    """Report progress to nobody."""


def told(kind: str) -> dict[str, str]:
    """Return which fields headings mean that are none of ours, as somebody told."""
    rows = ColumnName.objects.filter(kind=kind)
    return dict(rows.values_list("heading", "field"))


def tell(kind: str, meanings: Mapping[str, str]) -> None:
    """Remember what headings mean: {heading: field}, "" for what is not read."""
    fields = KINDS[kind].columns.names
    for heading, field in meanings.items():
        if field and field not in fields:
            raise ValidationError(f"没有「{field}」这一列。")
        ColumnName.objects.update_or_create(
            kind=kind,
            heading=columns.fold(heading)[:100],
            defaults={"field": field},
        )


def read(
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
    ours, known = KINDS[kind].columns, told(kind)

    def score(heads: Sequence[str]) -> int:
        return ours.score(heads, known)

    table = reading.read(name, data, score=score, encoding=encoding)
    if heads:
        table = headed(table, heads)
    if kind == Entries.name:
        table = others.adapted(table)
    if strict:
        ours.layout(table, known)
    if not table.rows:
        raise ValidationError("文件只有表头，没有数据。")
    return table


def default_source(table: Table, *, kind: str) -> str:
    """Return the source of rows of which nobody says where they come from.

    Nothing for kinds whose rows have no source, and where the file has a column for
    it: an empty cell there says that a row has none.
    """
    columns = KINDS[kind].columns
    if "source" not in columns.names:
        return ""
    if "source" in columns.layout(table, told(kind)).places:
        return ""
    return table.source or file_source(table.name)


def sourced(options: Options, table: Table, *, kind: str) -> Options:
    """Return `options` with the default source where they name none."""
    usual = default_source(table, kind=kind)
    source = options.source or usual
    is_default = bool(usual) and source == usual and not table.source
    return replace(options, source=source, is_source_default=is_default)


def heads(kind: str) -> list[str]:
    """Return the headings of an export of `kind`, as the importer knows them."""
    names = KINDS[kind].columns.names
    return [names[field][0] for field in export(kind).fields]


def plan(
    table: Table, *, kind: str, options: Options, progress: Progress = _quietly
) -> Plan:
    """Return what importing `table`, read as `kind`, would do; nothing is written."""
    known = told(kind)
    layout = KINDS[kind].columns.layout(table, known)
    source = options.source or table.source
    work = KINDS[kind](replace(options, source=source), layout)
    rows, width = table.rows, len(table.header.cells)
    asked = planning.wishes(work, rows, width)
    steps = planning.steps(work, asked, len(rows), progress)
    notes = [*table.notes, *work.places.notes()]
    notes += _told_of(table, kind, known)
    if warned := sum(1 for step in steps if step.notes):
        notes.append(f"有 {warned} 行要留意，原因写在各行后面")
    if layout.unknown:
        notes.append(f"不认识这些列，没有读：{'、'.join(layout.unknown)}")
    if layout.serials:
        notes.append(f"「{'、'.join(layout.serials)}」只是第几行，不当作编号")
    evidence = sorted(work.evidence, key=repr)
    return Plan(table, steps, notes, work, evidence=evidence)


def apply(
    plan: Plan,
    *,
    by: User | None,
    skip_bad: bool = False,
    wait: bool = True,
    progress: Progress = _quietly,
) -> int:
    """Write what `plan` says, all or nothing; return how many rows were written.

    Not to `wait` leaves the index, most of the time it takes, to who keeps it up.
    Raises ValidationError, with nothing written, when rows are refused and not
    to be skipped, or when somebody changed meanwhile what the plan was based on.
    """
    if plan.refused and not skip_bad:
        raise ValidationError(f"有 {len(plan.refused)} 行不能导入，没有写入任何内容。")
    if not plan.writes:
        return 0
    plan.work.prepare(progress)
    progress("写入和建立索引", 0, plan.writes)
    try:
        with transaction.atomic():
            _write(plan, by)
    except IntegrityError:
        raise ValidationError(MOVED, code="conflict") from None
    if wait:
        index.sync_all(most=plan.writes)
    progress("写入和建立索引", plan.writes, plan.writes)
    return plan.writes


def _write(plan: Plan, by: User | None) -> None:
    if planning.moved(plan.work):
        raise ValidationError(MOVED, code="conflict")
    plan.work.store(by)
    plan.batch = undoing.keep(plan, kind=plan.work.name, by=by)
    told = f"{plan.table.name}：{plan.writes} 行"
    audit.note(Deed.Act.IMPORTED, told, by=by)


def undo(batch: Import, *, by: User | None) -> Undone:
    """Take a whole import back; rows that somebody changed since stay, and are named."""
    return undoing.undo(batch, KINDS[batch.kind], by=by)


def _told_of(table: Table, kind: str, known: Mapping[str, str]) -> list[str]:
    """Say which columns are read as somebody told, so that nobody is surprised."""
    names = KINDS[kind].columns.names
    meant = [
        f"{cells.brief(head, 20)} → {names[field][0] if field else '不读'}"
        for head in table.header.cells
        if (field := known.get(columns.fold(head))) is not None
    ]
    return [f"按以前的对应：{'、'.join(meant)}"] if meant else []
