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

from kb.accounts import audit_log
from kb.import_export.import_plan import ImportPlan
from kb.import_export.plan.planner import RowKind
from kb.import_export.row_changes import EXTERNAL_ID_COLUMNS, read_json_values
from kb.index import sync
from kb.library import entries
from kb.library.entries import category_scopes
from kb.library.entries.snapshots import find_changed_parts
from kb.models import (
    AuditEvent,
    CategoryRight,
    Entry,
    ImportBatch,
    ImportedRow,
    Question,
    User,
)
from kb.questions import answers

UNDO_RETRY_AFTER = timedelta(
    minutes=10
)  # an undoing that has not ended by then is none
UNDO_BATCH_ROWS = 100  # rows in one transaction: others must be able to write between
Status = Entry.Status
D, R, P, X = Status.DRAFT, Status.REVIEW, Status.PUBLISHED, Status.RETIRED
# How an entry gets from the state that an import gave it to the one before.
STATUS_MOVES: dict[tuple[str, str], tuple[Any, ...]] = {
    **{(state, state): () for state in Status.values},
    (R, D): (entries.return_draft_to_author,),
    (P, D): (entries.retire_entry, entries.restore_entry),
    (X, D): (entries.restore_entry,),
    (D, R): (entries.submit_entry,),
    (P, R): (entries.retire_entry, entries.restore_entry, entries.submit_entry),
    (X, R): (entries.restore_entry, entries.submit_entry),
    (D, P): (entries.publish_entry,),
    (R, P): (entries.publish_entry,),
    (X, P): (entries.restore_entry, entries.publish_entry),
    (D, X): (entries.retire_entry,),
    (R, X): (entries.retire_entry,),
    (P, X): (entries.retire_entry,),
}
ROW_GONE_MESSAGE = "已经不在了"
ROW_CHANGED_MESSAGE = "导入以后有人改过"
ROW_USED_MESSAGE = "已经有问题、复制或评价算在它头上"


@dataclass(slots=True)
class UndoResult:
    """How many rows are as they were before, and why others are not."""

    undone_count: int = 0
    refusals: list[str] = field(default_factory=list)


def record_import(plan: ImportPlan, *, kind: str, by: User | None) -> ImportBatch:
    """Keep what `plan` has just written, in its transaction."""
    batch = ImportBatch.objects.create(
        kind=kind, name=plan.table.name[:200], summary=plan.summary[:200], by=by
    )
    ImportedRow.objects.bulk_create(
        (
            ImportedRow(
                batch=batch, row=pk, title=title[:80], before=before, after=after
            )
            for pk, title, before, after in plan.row_kind.written()
        ),
        batch_size=500,
    )
    return batch


def undo_import_rows(
    batch: ImportBatch, kind: type[RowKind], *, by: User | None
) -> UndoResult:
    """Bring back what was there before; raises ValidationError when it is undone.

    Rows that somebody has changed since stay, and are named. What stayed, or was
    not reached by a process that ended, may be tried again after AGAIN.
    """
    done = UndoResult()
    now = timezone.now()
    stayed = ImportedRow.objects.filter(batch=batch, undone=False).exists()
    late = Q(undone_at__lt=now - UNDO_RETRY_AFTER) if stayed else Q(pk=None)
    taken = ImportBatch.objects.filter(Q(undone_at=None) | late, pk=batch.pk)
    if not taken.update(undone_at=now, undone_by=by):
        raise ValidationError("这次导入已经撤销过了。", code="conflict")
    for rows in _iter_row_batches(batch):
        with transaction.atomic():  # and so the index is brought up to date once
            _undo_batch(rows, kind, done, by=by)
    if kind.has_versions:
        _restore_external_ids(batch)
    audit_log.record_event(
        AuditEvent.Action.IMPORTED, f"撤销：{batch.name}，{done.undone_count} 行", by=by
    )
    sync.sync_small_lots()
    return done


def _undo_batch(
    rows: Collection[ImportedRow],
    kind: type[RowKind],
    done: UndoResult,
    *,
    by: User | None,
) -> None:
    for row in rows:
        why = (_undo_entry_row if kind.has_versions else _undo_plain_row)(
            row, kind.model, by=by
        )
        if why:
            done.refusals.append(f"「{row.title}」：{why}")
        else:
            done.undone_count += 1
            ImportedRow.objects.filter(pk=row.pk).update(undone=True)


@transaction.atomic
def _restore_external_ids(batch: ImportBatch) -> None:
    """Give entries the source and external id of before, which no version holds.

    Only those that still have what the import gave them. A number that somebody
    else has got since stays where it is.
    """
    mine: list[ImportedRow] = []
    for row in batch.rows.filter(undone=True, before__has_key="external_id"):
        now = {name: row.after[name] for name in EXTERNAL_ID_COLUMNS}
        if Entry.objects.filter(pk=row.row, **now).update(external_id=""):
            mine.append(row)
    for row in mine:
        number = (
            {name: row.before[name] for name in EXTERNAL_ID_COLUMNS}
            if row.before
            else {}
        )
        owner = Entry.objects.filter(**number).exclude(external_id="")
        if not owner.exists():
            Entry.objects.filter(pk=row.row).update(**number)


def count_rows_not_undone(batches: Collection[ImportBatch]) -> dict[int, int]:
    """Return how many rows of each that was undone are not; one query."""
    undone = [batch.pk for batch in batches if batch.undone_at]
    rows = ImportedRow.objects.filter(batch__in=undone, undone=False).order_by()
    return dict(rows.values_list("batch").annotate(n=Count("pk")))


def _iter_row_batches(batch: ImportBatch) -> Iterator[list[ImportedRow]]:
    """Yield the rows last in, first out, some at a time."""
    rows = batch.rows.filter(undone=False).order_by("-pk")
    ids = list(rows.values_list("pk", flat=True))
    for start in range(0, len(ids), UNDO_BATCH_ROWS):
        yield list(rows.filter(pk__in=ids[start : start + UNDO_BATCH_ROWS]))


def _undo_entry_row(row: ImportedRow, model: type[Model], *, by: User | None) -> str:
    """Undo what was done to an entry; return why not, or nothing."""
    try:
        with transaction.atomic():
            entry = Entry.objects.select_for_update().filter(pk=row.row).first()
            if entry is None:
                return "" if row.before is None else ROW_GONE_MESSAGE
            if "version" not in row.after:  # only its number went to another one
                return ""
            if not _is_unchanged_since(entry, row.after["version"]):
                return ROW_CHANGED_MESSAGE
            if row.before is None:
                return _delete_new_entry(entry, by=by)
            return _revert_entry(entry, row.before["version"], by=by)
    except (PermissionDenied, ValidationError) as error:
        return "".join(getattr(error, "messages", [str(error)])).rstrip("。")


def _is_unchanged_since(entry: Entry, version: int) -> bool:
    """Tell whether the entry says what it said then, whatever came and went since."""
    if entry.version == version:
        return True
    left = entry.revisions.filter(version=version).first()
    if left is None or left.status != entry.status:
        return False
    return not find_changed_parts(left.content, entries.take_snapshot(entry))


def _revert_entry(entry: Entry, version: int, *, by: User | None) -> str:
    found = entry.revisions.filter(version=version).first()
    if found is None:
        return "以前的版本没有留下来"
    entry, _ = entries.revert_entry(
        found, by=by, based_on=entry.version, note="撤销导入"
    )
    for move in STATUS_MOVES[entry.status, found.status]:
        entry = move(entry, by=by)
    sync.mark_stale([entry.pk])
    return ""


def _delete_new_entry(entry: Entry, *, by: User | None) -> str:
    entries.require_category_right(CategoryRight.WRITE, entry.category_id, by=by)
    if entry.status == Status.PUBLISHED:
        entries.require_category_right(CategoryRight.PUBLISH, entry.category_id, by=by)
    used = ("questions", "copies", "votes", "picks")
    if any(getattr(entry, name).exists() for name in used):
        return ROW_USED_MESSAGE
    entry.delete()
    return ""


def _undo_plain_row(row: ImportedRow, model: type[Model], *, by: User | None) -> str:
    """Undo what was done to a row without versions; return why not, or nothing."""
    try:
        with transaction.atomic():
            rows: Any = model._default_manager.select_for_update()
            found = rows.filter(pk=row.row).first()
            if found is None:
                return "" if row.before is None else ROW_GONE_MESSAGE
            if read_json_values(found, row.after) != row.after:
                return ROW_CHANGED_MESSAGE
            category_scopes.require_category_scope(
                found, by=by, is_deletion=row.before is None
            )
            if row.before is None:
                found.delete()
                return ""
            for name, value in row.before.items():
                field_ = model._meta.get_field(name)
                setattr(found, name, field_.to_python(value))  # type: ignore[union-attr]
            category_scopes.require_category_scope(found, by=by)
            found.full_clean(exclude=["text_key"])
            found.save()
            if isinstance(found, Question):  # a customer may be reading the answer
                answers.add_missing_answer_versions([found], by=by)
            return ""
    except ProtectedError:
        return ROW_USED_MESSAGE
    except (ValidationError, IntegrityError) as error:
        messages = getattr(error, "messages", ["和别的行冲突"])
        return "".join(messages).rstrip("。")
