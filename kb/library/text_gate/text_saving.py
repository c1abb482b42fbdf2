"""Save, delete and restore rows of gated tables, with history and audit log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet

from kb.accounts import audit_log
from kb.language import style_rules
from kb.library.entries import category_scopes
from kb.library.text_gate.text_checks import (
    find_changed_columns,
    load_stored_row,
    require_allowed_text,
)
from kb.library.text_gate.text_registry import GATED_TABLES
from kb.models import AuditEvent, TextRevision, User, category_permission

RowType = TypeVar("RowType", bound=Model)
TextAction = TextRevision.Action
TEXT_BATCH_ROWS = 500  # per INSERT


@transaction.atomic
def save_text_row(
    row: RowType,
    *,
    by: User | None,
    write: Callable[[RowType], Any] | None = None,
    act: TextRevision.Action = TextAction.CHANGED,
) -> RowType:
    """Check and save a new or changed `row`, record its revisions, and return it.

    `by` None is the operator, who may do everything. `write` saves the row where a
    table needs more than `row.save()`. Raises ValidationError.
    """
    if row.pk is not None:  # lock it until the transaction ends
        rows = type(row)._default_manager.select_for_update()
        rows.filter(pk=row.pk).order_by().first()
    row.full_clean()
    require_allowed_text(row, by=by)
    before = load_stored_row(row)
    changed = find_changed_columns(row, before)
    if write is None:
        row.save()
    else:
        write(row)
    _record_text_changes(row, changed, act=act if before else TextAction.CREATED, by=by)
    if by is not None:
        category_permission.clear_category_permissions(by)  # a category may have moved
    return row


def add_text_rows(rows: Sequence[Model], *, by: User | None) -> None:
    """Check and insert new rows of one table in bulk. Raises ValidationError."""
    if rows:  # an empty list opens no transaction
        _insert_text_rows(rows, by=by)


@transaction.atomic
def _insert_text_rows(rows: Sequence[Model], *, by: User | None) -> None:
    library = style_rules.LibraryLookup()
    for row in rows:
        require_allowed_text(row, by=by, library=library)
    model = type(rows[0])
    model._default_manager.bulk_create(rows, batch_size=TEXT_BATCH_ROWS)
    revisions = [
        revision
        for row in rows
        for revision in _build_text_revisions(
            row, find_changed_columns(row, None), act=TextAction.CREATED, by=by
        )
    ]
    TextRevision.objects.bulk_create(revisions, batch_size=TEXT_BATCH_ROWS)
    names = "、".join(map(str, rows))
    description = (
        f"{model._meta.verbose_name} {TextAction.CREATED.label} {len(rows)} 个：{names}"
    )
    audit_log.record_event(AuditEvent.Action.CHANGED, description, by=by)
    if by is not None:
        category_permission.clear_category_permissions(by)


@transaction.atomic
def delete_text_row(
    row: RowType, *, by: User | None, write: Callable[[RowType], Any] | None = None
) -> None:
    """Delete `row` and record its texts in the history.

    `write` deletes the row where a table needs more than `row.delete()`. Raises
    ValidationError where `by` may not.
    """
    category_scopes.require_category_scope(row, by=by, is_deletion=True)
    texts = {name: getattr(row, name) for name in GATED_TABLES[type(row)].columns}
    changed = {name: (text, "") for name, text in texts.items() if text}
    key = row.pk
    if write is None:
        row.delete()
    else:
        write(row)
    row.pk = key  # a deleted instance has none
    _record_text_changes(row, changed, act=TextAction.DELETED, by=by)
    if by is not None:
        category_permission.clear_category_permissions(by)


def record_restored_row(row: Model, *, by: User | None) -> None:
    """Record revisions of a deleted row that the caller has just restored."""
    changed = find_changed_columns(row, None)
    TextRevision.objects.bulk_create(
        _build_text_revisions(row, changed, act=TextAction.RESTORED, by=by)
    )
    if by is not None:
        category_permission.clear_category_permissions(by)


def list_text_revisions(row: Model) -> QuerySet[TextRevision]:
    """Return the revisions of the texts of `row`, newest first."""
    content_type = ContentType.objects.get_for_model(row)
    revisions = TextRevision.objects.filter(content_type=content_type, object_id=row.pk)
    return revisions.select_related("by", "content_type")


def restore_text(
    revision: TextRevision,
    *,
    by: User | None,
    write: Callable[[Any], Any] | None = None,
) -> Model:
    """Set the column back to its text before `revision`; return the saved row.

    Raises ValidationError where the row is gone or `revision` created it.
    """
    model = revision.content_type.model_class()
    rows = model._default_manager.filter(pk=revision.object_id) if model else None
    row = rows.first() if rows is not None else None
    if row is None:
        raise ValidationError("这一项已经不在了，不能恢复。")
    if (
        revision.field not in GATED_TABLES[type(row)].columns
        or revision.act == TextAction.CREATED
    ):
        raise ValidationError("这一步没有以前的内容可以恢复。")
    setattr(row, revision.field, revision.before)
    return save_text_row(row, by=by, write=write, act=TextAction.RESTORED)


def _record_text_changes(
    row: Model,
    changed: dict[str, tuple[str, str]],
    *,
    act: TextRevision.Action,
    by: User | None,
) -> None:
    """Record a revision of each changed text, and one audit event."""
    if not changed:
        return
    TextRevision.objects.bulk_create(
        _build_text_revisions(row, changed, act=act, by=by)
    )
    action = (
        AuditEvent.Action.DELETED
        if act == TextAction.DELETED
        else AuditEvent.Action.CHANGED
    )
    row_label = f"{row._meta.verbose_name}「{row}」#{row.pk}"
    audit_log.record_event(action, f"{row_label} {act.label}", by=by)


def _build_text_revisions(
    row: Model,
    changed: dict[str, tuple[str, str]],
    *,
    act: TextRevision.Action,
    by: User | None,
) -> list[TextRevision]:
    """Return an unsaved revision of each changed column."""
    content_type = ContentType.objects.get_for_model(row)
    return [
        TextRevision(
            content_type=content_type,
            object_id=row.pk,
            name=str(row)[:200],
            act=act,
            field=name,
            before=before,
            after=after,
            by=by if by is not None and by.pk else None,
        )
        for name, (before, after) in changed.items()
    ]
