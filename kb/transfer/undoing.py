"""A whole import taken back, but for what somebody has changed since."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, Model, ProtectedError, Q
from django.utils import timezone

from kb import answers, audit, entries, index
from kb.entries import scopes
from kb.entries.content import changed
from kb.models import Deed, Entry, Import, ImportedRow, Question, Right, User
from kb.transfer.planning import Kind
from kb.transfer.report import Plan
from kb.transfer.written import NUMBER, told

AGAIN = timedelta(minutes=10)  # an undoing that has not ended by then is none
BATCH = 100  # rows in one transaction: others must be able to write between
Status = Entry.Status
D, R, P, X = Status.DRAFT, Status.REVIEW, Status.PUBLISHED, Status.RETIRED
# How an entry gets from the state that an import gave it to the one before.
MOVES: dict[tuple[str, str], tuple[Any, ...]] = {
    **{(state, state): () for state in Status.values},
    (R, D): (entries.send_back,),
    (P, D): (entries.retire, entries.restore),
    (X, D): (entries.restore,),
    (D, R): (entries.submit,),
    (P, R): (entries.retire, entries.restore, entries.submit),
    (X, R): (entries.restore, entries.submit),
    (D, P): (entries.publish,),
    (R, P): (entries.publish,),
    (X, P): (entries.restore, entries.publish),
    (D, X): (entries.retire,),
    (R, X): (entries.retire,),
    (P, X): (entries.retire,),
}
GONE = "已经不在了"
CHANGED = "导入以后有人改过"
USED = "已经有问题、复制或评价算在它头上"


@dataclass(slots=True)
class Undone:
    """How many rows are as they were before, and why others are not."""

    count: int = 0
    refused: list[str] = field(default_factory=list)


def keep(plan: Plan, *, kind: str, by: User | None) -> Import:
    """Keep what `plan` has just written, in its transaction."""
    batch = Import.objects.create(
        kind=kind, name=plan.table.name[:200], summary=plan.summary[:200], by=by
    )
    ImportedRow.objects.bulk_create(
        (
            ImportedRow(
                batch=batch, row=pk, title=title[:80], before=before, after=after
            )
            for pk, title, before, after in plan.work.written()
        ),
        batch_size=500,
    )
    return batch


def undo(batch: Import, kind: type[Kind], *, by: User | None) -> Undone:
    """Bring back what was there before; raises ValidationError when it is undone.

    Rows that somebody has changed since stay, and are named. What stayed, or was
    not reached by a process that ended, may be tried again after AGAIN.
    """
    done = Undone()
    now = timezone.now()
    stayed = ImportedRow.objects.filter(batch=batch, undone=False).exists()
    late = Q(undone_at__lt=now - AGAIN) if stayed else Q(pk=None)
    taken = Import.objects.filter(Q(undone_at=None) | late, pk=batch.pk)
    if not taken.update(undone_at=now, undone_by=by):
        raise ValidationError("这次导入已经撤销过了。", code="conflict")
    for rows in _rows(batch):
        with transaction.atomic():  # and so the index is brought up to date once
            _undo(rows, kind, done, by=by)
    if kind.versioned:
        _restore_numbers(batch)
    audit.note(Deed.Act.IMPORTED, f"撤销：{batch.name}，{done.count} 行", by=by)
    index.sync_small()
    return done


def _undo(
    rows: Collection[ImportedRow], kind: type[Kind], done: Undone, *, by: User | None
) -> None:
    for row in rows:
        why = (_entry if kind.versioned else _plain)(row, kind.model, by=by)
        if why:
            done.refused.append(f"「{row.title}」：{why}")
        else:
            done.count += 1
            ImportedRow.objects.filter(pk=row.pk).update(undone=True)


@transaction.atomic
def _restore_numbers(batch: Import) -> None:
    """Give entries the source and external id of before, which no version holds.

    Only those that still have what the import gave them. A number that somebody
    else has got since stays where it is.
    """
    mine: list[ImportedRow] = []
    for row in batch.rows.filter(undone=True, before__has_key="external_id"):
        now = {name: row.after[name] for name in NUMBER}
        if Entry.objects.filter(pk=row.row, **now).update(external_id=""):
            mine.append(row)
    for row in mine:
        number = {name: row.before[name] for name in NUMBER} if row.before else {}
        owner = Entry.objects.filter(**number).exclude(external_id="")
        if not owner.exists():
            Entry.objects.filter(pk=row.row).update(**number)


def stayed(batches: Collection[Import]) -> dict[int, int]:
    """Return how many rows of each that was undone are not; one query."""
    undone = [batch.pk for batch in batches if batch.undone_at]
    rows = ImportedRow.objects.filter(batch__in=undone, undone=False).order_by()
    return dict(rows.values_list("batch").annotate(n=Count("pk")))


def _rows(batch: Import) -> Iterator[list[ImportedRow]]:
    """Yield the rows last in, first out, some at a time."""
    rows = batch.rows.filter(undone=False).order_by("-pk")
    ids = list(rows.values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        yield list(rows.filter(pk__in=ids[start : start + BATCH]))


def _entry(row: ImportedRow, model: type[Model], *, by: User | None) -> str:
    """Undo what was done to an entry; return why not, or nothing."""
    try:
        with transaction.atomic():
            entry = Entry.objects.select_for_update().filter(pk=row.row).first()
            if entry is None:
                return "" if row.before is None else GONE
            if "version" not in row.after:  # only its number went to another one
                return ""
            if not _as_left(entry, row.after["version"]):
                return CHANGED
            if row.before is None:
                return _remove(entry, by=by)
            return _revert(entry, row.before["version"], by=by)
    except (PermissionDenied, ValidationError) as error:
        return "".join(getattr(error, "messages", [str(error)])).rstrip("。")


def _as_left(entry: Entry, version: int) -> bool:
    """Tell whether the entry says what it said then, whatever came and went since."""
    if entry.version == version:
        return True
    left = entry.revisions.filter(version=version).first()
    if left is None or left.status != entry.status:
        return False
    return not changed(left.content, entries.content(entry))


def _revert(entry: Entry, version: int, *, by: User | None) -> str:
    found = entry.revisions.filter(version=version).first()
    if found is None:
        return "以前的版本没有留下来"
    entry, _ = entries.revert(found, by=by, based_on=entry.version, note="撤销导入")
    for move in MOVES[entry.status, found.status]:
        entry = move(entry, by=by)
    index.mark([entry.pk])
    return ""


def _remove(entry: Entry, *, by: User | None) -> str:
    entries.require(Right.WRITE, entry.category_id, by=by)
    if entry.status == Status.PUBLISHED:
        entries.require(Right.PUBLISH, entry.category_id, by=by)
    used = ("questions", "copies", "votes", "picks")
    if any(getattr(entry, name).exists() for name in used):
        return USED
    entry.delete()
    return ""


def _plain(row: ImportedRow, model: type[Model], *, by: User | None) -> str:
    """Undo what was done to a row without versions; return why not, or nothing."""
    try:
        with transaction.atomic():
            rows: Any = model._default_manager.select_for_update()
            found = rows.filter(pk=row.row).first()
            if found is None:
                return "" if row.before is None else GONE
            if told(found, row.after) != row.after:
                return CHANGED
            scopes.require_scope(found, by=by, deletes=row.before is None)
            if row.before is None:
                found.delete()
                return ""
            for name, value in row.before.items():
                field_ = model._meta.get_field(name)
                setattr(found, name, field_.to_python(value))  # type: ignore[union-attr]
            scopes.require_scope(found, by=by)
            found.full_clean(exclude=["text_key"])
            found.save()
            if isinstance(found, Question):  # a customer may be reading the answer
                answers.add_missing_versions([found], by=by)
            return ""
    except ProtectedError:
        return USED
    except (ValidationError, IntegrityError) as error:
        messages = getattr(error, "messages", ["和别的行冲突"])
        return "".join(messages).rstrip("。")
