"""Restores a deleted row, with the rows that were deleted with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.serializers.base import DeserializationError, DeserializedObject
from django.db import IntegrityError, transaction
from django.db.models import ForeignKey, Model

from kb.accounts import audit_log
from kb.index import sync
from kb.library import pictures, text_gate
from kb.library.entries import category_scopes, entry_rights
from kb.models import (
    AuditEvent,
    Autosave,
    CategoryRight,
    DeletedItem,
    Entry,
    Picture,
    User,
)
from kb.publishing import edition

ALREADY_RESTORED_MESSAGE = "回收站里已经没有这一项了：已经恢复过，或者过期清掉了。"
OUTDATED_ITEM_MESSAGE = "「{}」是旧版本的程序删除的，现在恢复不了。"
RELINK_BATCH_ROWS = 500  # primary keys in one query


@transaction.atomic
def restore_item(item: DeletedItem, *, by: User | None) -> Model:
    """Restore the rows of `item` and return the first, if `by` may write there.

    The rows keep their primary keys and times. A foreign key to a row that is gone is
    set to NULL if it may be. Raises ValidationError with the reason; then nothing is
    written.
    """
    items = DeletedItem.objects.select_for_update().select_related("content_type")
    locked = items.filter(pk=item.pk).first()
    if locked is None:
        raise ValidationError(ALREADY_RESTORED_MESSAGE, code="gone")
    loaded = _load_rows(locked)
    root = loaded[0].object
    rows = _drop_lost_targets(loaded, locked.name)
    _check_restored(root, by=by)
    _write_rows(rows, locked)
    _notify_readers([row.object for row in rows], locked.links)
    _record_restore(root, locked, by=by)
    locked.delete()
    return root


def _check_restored(root: Model, *, by: User | None) -> None:
    """Raise ValidationError if the row is not valid, or `by` may not write it."""
    _require_permission(root, by=by)
    fields = type(root)._meta.concrete_fields
    empty = {f.name for f in fields if getattr(root, f.attname) in f.empty_values}
    root.full_clean(exclude=empty)  # a form may ask for more than the table does
    if type(root) in text_gate.GATED_TABLES:
        text_gate.require_allowed_text(root, by=by)


def _write_rows(rows: list[DeserializedObject], item: DeletedItem) -> None:
    try:
        with transaction.atomic():
            for row in rows:
                row.save(save_m2m=False, force_insert=True)
            _restore_links(item.links)
    except IntegrityError:
        message = f"「{item.name}」和现在的内容冲突，没有恢复。"
        raise ValidationError(message, code="conflict") from None
    root = rows[0].object
    if isinstance(root, Picture) and item.file is not None:
        pictures.restore_picture_file(root, bytes(item.file))


def _record_restore(root: Model, item: DeletedItem, *, by: User | None) -> None:
    if type(root) in text_gate.GATED_TABLES:
        text_gate.record_restored_row(root, by=by)
    if not isinstance(root, Autosave):  # an autosave is private
        kind = root._meta.verbose_name
        summary = f"{kind}「{item.name}」#{item.object_id} 从回收站"
        audit_log.record_event(AuditEvent.Action.RESTORED, summary, by=by)


@transaction.atomic
def restore_items(items: Sequence[DeletedItem], *, by: User | None) -> list[Model]:
    """Restore all of `items` or none, in the reverse order of their deletion."""
    latest_first = sorted(items, key=lambda item: -item.pk)
    return [restore_item(item, by=by) for item in latest_first]


def load_row(item: DeletedItem) -> Model | None:
    """Return the deleted row, unsaved; None when it cannot be deserialized."""
    try:
        return _load_rows(item)[0].object
    except ValidationError:
        return None


def _load_rows(item: DeletedItem) -> list[DeserializedObject]:
    try:
        loaded = serializers.deserialize("python", item.rows, ignorenonexistent=True)
        rows = list(loaded)
    except DeserializationError:
        rows = []
    if not rows:
        raise ValidationError(OUTDATED_ITEM_MESSAGE.format(item.name), code="damaged")
    return rows


def _require_permission(root: Model, *, by: User | None) -> None:
    if isinstance(root, Entry):
        entry_rights.require_category_right(
            CategoryRight.WRITE, root.category_id, by=by
        )
    else:
        category_scopes.require_category_scope(root, by=by)


def _drop_lost_targets(
    rows: list[DeserializedObject], name: str
) -> list[DeserializedObject]:
    """Return the rows whose required foreign keys have a target.

    An optional foreign key without a target is set to None. Raises ValidationError if
    the first row has a required one without a target.
    """
    root = rows[0].object
    known = {(type(root), root.pk)}
    valid_rows = []
    for deserialized in rows:
        row = deserialized.object
        lost = [
            field
            for field in _list_foreign_keys(row)
            if not _has_target(row, field, known)
        ]
        needed = [field for field in lost if not field.null]
        if needed and row is root:
            names = "、".join(str(field.verbose_name) for field in needed)
            message = f"「{name}」的{names}已经不在了，没有恢复。"
            raise ValidationError(message, code="lost")
        if needed:
            continue
        for field in lost:
            setattr(row, field.attname, None)
        known.add((type(row), row.pk))
        valid_rows.append(deserialized)
    return valid_rows


def _list_foreign_keys(row: Model) -> list[ForeignKey[Any, Any]]:
    fields = type(row)._meta.concrete_fields
    return [field for field in fields if isinstance(field, ForeignKey)]


def _has_target(
    row: Model, field: ForeignKey[Any, Any], known: set[tuple[type[Model], Any]]
) -> bool:
    value = getattr(row, field.attname)
    if value is None or (field.related_model, value) in known:
        return True
    target = field.target_field.attname
    targets = field.related_model._base_manager
    return bool(targets.filter(**{target: value}).exists())


def _restore_links(links: list[list[Any]]) -> None:
    """Set foreign keys that the deletion set to NULL, unless they were set since."""
    for label, column, ids, value in links:
        rows = apps.get_model(label)._base_manager.filter(**{column: None})
        for start in range(0, len(ids), RELINK_BATCH_ROWS):
            rows.filter(pk__in=ids[start : start + RELINK_BATCH_ROWS]).update(
                **{column: value}
            )


def _notify_readers(rows: list[Model], links: list[list[Any]]) -> None:
    """Update the index and invalidate cached pages: raw saves send few signals."""
    entry_ids: set[int] = set()
    for row in rows:
        entry_id = row.pk if isinstance(row, Entry) else getattr(row, "entry_id", None)
        if entry_id is not None:
            entry_ids.add(entry_id)
    for label, _, ids, _ in links:
        if label == Entry._meta.label_lower:
            entry_ids.update(ids)
    entries = Entry.objects.filter(pk__in=entry_ids)
    sync.mark_stale(entries.values_list("pk", flat=True))
    edition.increment_edition()
