"""Questions and entries from CSV and XLSX: planned first, then all or nothing."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from kb import audit, index
from kb.models import Deed, User
from kb.transfer import planning, reading
from kb.transfer.entries import Entries
from kb.transfer.planning import Kind, Options, Progress
from kb.transfer.questions import Questions
from kb.transfer.report import Action, Plan, rejects
from kb.transfer.table import MAX_BYTES, Table

__all__ = [
    "KINDS",
    "MAX_BYTES",
    "Action",
    "Options",
    "Plan",
    "Progress",
    "Table",
    "apply",
    "plan",
    "read",
    "rejects",
]
KINDS: dict[str, type[Kind]] = {"questions": Questions, "entries": Entries}
MOVED = "导入期间有人改了同样的内容，没有写入任何内容，请再导入一次。"


def _quietly(what: str, done: int, count: int) -> None:
    """Report progress to nobody."""


def read(name: str, data: bytes, *, kind: str, encoding: str = "") -> Table:
    """Return the table in a file; raises ValidationError when it holds none of `kind`."""
    columns = KINDS[kind].columns
    table = reading.read(name, data, score=columns.score, encoding=encoding)
    columns.layout(table)
    if not table.rows:
        raise ValidationError("文件只有表头，没有数据。")
    return table


def plan(
    table: Table, *, kind: str, options: Options, progress: Progress = _quietly
) -> Plan:
    """Return what importing `table`, read as `kind`, would do; nothing is written."""
    layout = KINDS[kind].columns.layout(table)
    work = KINDS[kind](options, layout)
    rows, width = table.rows, len(table.header.cells)
    asked = planning.wishes(work, rows, width)
    steps = planning.steps(work, asked, len(rows), progress)
    notes = [*table.notes, *work.places.notes()]
    if layout.unknown:
        notes.append(f"不认识这些列，没有读：{'、'.join(layout.unknown)}")
    return Plan(table, steps, notes, work)


def apply(
    plan: Plan,
    *,
    by: User | None,
    skip_bad: bool = False,
    progress: Progress = _quietly,
) -> int:
    """Write what `plan` says, all or nothing; return how many rows were written.

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
            if planning.moved(plan.work):
                raise ValidationError(MOVED, code="conflict")
            plan.work.store(by)
            told = f"{plan.table.name}：{plan.writes} 行"
            audit.note(Deed.Act.IMPORTED, told, by=by)
    except IntegrityError:
        raise ValidationError(MOVED, code="conflict") from None
    index.sync_all()
    progress("写入和建立索引", plan.writes, plan.writes)
    return plan.writes
