"""Undoing a whole import, except for rows that were changed since."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, ProtectedError, Q
from django.utils import timezone

from kb.accounts import audit_log
from kb.import_export.import_plan import ImportPlan
from kb.import_export.plan.row_kind import RowKind
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

# An undo that has not ended by then was interrupted and may be tried again.
UNDO_RETRY_AFTER = timedelta(minutes=10)
UNDO_BATCH_ROWS = 100  # rows in one transaction: others can write in between
Status = Entry.Status
D, R, P, X = Status.DRAFT, Status.REVIEW, Status.PUBLISHED, Status.RETIRED
# The steps from the status that an import gave an entry to the one before.
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
    """How many rows were undone, and why others were not."""

    undone_count: int = 0
    refusals: list[str] = field(default_factory=list)


def record_import(plan: ImportPlan, *, by: User | None) -> ImportBatch:
    """Save what `plan` has just written, in its transaction, so it can be undone."""
    batch = ImportBatch.objects.create(
        kind=plan.row_kind.name,
        name=plan.table.name[:200],
        summary=plan.summary[:200],
        by=by,
    )
    ImportedRow.objects.bulk_create(
        (
            ImportedRow(
                batch=batch, row=pk, title=title[:80], before=before, after=after
            )
            for pk, title, before, after in plan.row_kind.iter_row_changes()
        ),
        batch_size=500,
    )
    return batch


def undo_import_rows(
    batch: ImportBatch, kind: type[RowKind], *, by: User | None
) -> UndoResult:
    """Restore what was there before; raises ValidationError when it is undone already.

    Rows that were changed since stay; `UndoResult.refusals` names them. What stayed, or
    was not reached by a process that ended, may be tried again after UNDO_RETRY_AFTER.
    """
    result = UndoResult()
    now = timezone.now()
    has_rest = ImportedRow.objects.filter(batch=batch, undone=False).exists()
    can_retry = Q(undone_at__lt=now - UNDO_RETRY_AFTER) if has_rest else Q(pk=None)
    claimable = ImportBatch.objects.filter(Q(undone_at=None) | can_retry, pk=batch.pk)
    if not claimable.update(undone_at=now, undone_by=by):
        raise ValidationError("这次导入已经撤销过了。", code="conflict")
    for rows in _iter_row_batches(batch):
        with transaction.atomic():  # the index is updated once for each transaction
            _undo_batch(rows, kind, result, by=by)
    if kind.has_versions:
        _restore_external_ids(batch)
    audit_log.record_event(
        AuditEvent.Action.IMPORTED,
        f"撤销：{batch.name}，{result.undone_count} 行",
        by=by,
    )
    sync.sync_small_lots()
    return result


def _undo_batch(
    rows: Collection[ImportedRow],
    kind: type[RowKind],
    result: UndoResult,
    *,
    by: User | None,
) -> None:
    for row in rows:
        if kind.has_versions:
            refusal = _undo_entry_row(row, by=by)
        else:
            refusal = _undo_plain_row(row, kind, by=by)
        if refusal:
            result.refusals.append(f"「{row.title}」：{refusal}")
        else:
            result.undone_count += 1
            ImportedRow.objects.filter(pk=row.pk).update(undone=True)


@transaction.atomic
def _restore_external_ids(batch: ImportBatch) -> None:
    """Restore the source and external id of entries, which no version contains.

    Only entries that still have the number from the import are changed. A number that
    another entry has got since stays there.
    """
    freed_rows: list[ImportedRow] = []
    for row in batch.rows.filter(undone=True, before__has_key="external_id"):
        imported = {name: row.after[name] for name in EXTERNAL_ID_COLUMNS}
        if Entry.objects.filter(pk=row.row, **imported).update(external_id=""):
            freed_rows.append(row)
    for row in freed_rows:
        before = row.before or {}
        columns = {name: before[name] for name in EXTERNAL_ID_COLUMNS}
        owners = Entry.objects.filter(**columns).exclude(external_id="")
        if not owners.exists():
            Entry.objects.filter(pk=row.row).update(**columns)


def count_rows_not_undone(batches: Collection[ImportBatch]) -> dict[int, int]:
    """Return {pk: rows not undone} for the batches that were undone, with one query."""
    undone = [batch.pk for batch in batches if batch.undone_at]
    rows = ImportedRow.objects.filter(batch__in=undone, undone=False).order_by()
    return dict(rows.values_list("batch").annotate(n=Count("pk")))


def _iter_row_batches(batch: ImportBatch) -> Iterator[list[ImportedRow]]:
    """Yield the rows in batches, the last written first."""
    rows = batch.rows.filter(undone=False).order_by("-pk")
    ids = list(rows.values_list("pk", flat=True))
    for start in range(0, len(ids), UNDO_BATCH_ROWS):
        yield list(rows.filter(pk__in=ids[start : start + UNDO_BATCH_ROWS]))


def _undo_entry_row(row: ImportedRow, *, by: User | None) -> str:
    """Undo what was done to an entry; return why that is refused, or ""."""
    try:
        with transaction.atomic():
            entry = Entry.objects.select_for_update().filter(pk=row.row).first()
            if entry is None:
                return "" if row.before is None else ROW_GONE_MESSAGE
            if "version" not in row.after:  # it only lost its number
                return ""
            if not _is_unchanged_since(entry, row.after["version"]):
                return ROW_CHANGED_MESSAGE
            if row.before is None:
                return _delete_new_entry(entry, by=by)
            return _revert_entry(entry, row.before["version"], by=by)
    except (PermissionDenied, ValidationError) as error:
        return "".join(getattr(error, "messages", [str(error)])).rstrip("。")


def _is_unchanged_since(entry: Entry, version: int) -> bool:
    """Return whether the content is that of `version`, also when it was restored."""
    if entry.version == version:
        return True
    revision = entry.revisions.filter(version=version).first()
    if revision is None or revision.status != entry.status:
        return False
    return not find_changed_parts(revision.content, entries.take_snapshot(entry))


def _revert_entry(entry: Entry, version: int, *, by: User | None) -> str:
    revision = entry.revisions.filter(version=version).first()
    if revision is None:
        return "以前的版本没有留下来"
    entry, _ = entries.revert_entry(
        revision, by=by, based_on=entry.version, note="撤销导入"
    )
    for move in STATUS_MOVES[entry.status, revision.status]:
        entry = move(entry, by=by)
    sync.mark_stale([entry.pk])
    return ""


def _delete_new_entry(entry: Entry, *, by: User | None) -> str:
    entries.require_category_right(CategoryRight.WRITE, entry.category_id, by=by)
    if entry.status == Status.PUBLISHED:
        entries.require_category_right(CategoryRight.PUBLISH, entry.category_id, by=by)
    usages = ("questions", "copies", "votes", "picks")
    if any(getattr(entry, name).exists() for name in usages):
        return ROW_USED_MESSAGE
    entry.delete()
    return ""


def _undo_plain_row(row: ImportedRow, kind: type[RowKind], *, by: User | None) -> str:
    """Undo what was done to a row without versions; return why not, or ""."""
    try:
        with transaction.atomic():
            rows: Any = kind.model._default_manager.select_for_update()
            stored = rows.filter(pk=row.row).first()
            if stored is None:
                return "" if row.before is None else ROW_GONE_MESSAGE
            if read_json_values(stored, row.after) != row.after:
                return ROW_CHANGED_MESSAGE
            category_scopes.require_category_scope(
                stored, by=by, is_deletion=row.before is None
            )
            if row.before is None:
                kind.delete_row(stored, by=by)
                return ""
            for name, value in row.before.items():
                field_ = kind.model._meta.get_field(name)
                setattr(stored, name, field_.to_python(value))  # type: ignore[union-attr]
            category_scopes.require_category_scope(stored, by=by)
            stored.full_clean(exclude=["text_key"])
            kind.save_row(stored, by=by)
            if isinstance(stored, Question):  # a customer may be reading the answer
                answers.add_missing_answer_versions([stored], by=by)
            return ""
    except ProtectedError:
        return ROW_USED_MESSAGE
    except (ValidationError, IntegrityError) as error:
        messages = getattr(error, "messages", ["和别的行冲突"])
        return "".join(messages).rstrip("。")
