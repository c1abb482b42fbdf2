"""Text passes here on its way into a table, and leaves what it replaced behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet

from kb import audit, wording
from kb.entries import scopes
from kb.models import Deed, TextRevision, User, remit
from kb.text_gate.checking import changed_columns, check, stored
from kb.text_gate.registry import TABLES

M = TypeVar("M", bound=Model)
Act = TextRevision.Act
BATCH = 500  # rows written at once


@transaction.atomic
def save(
    row: M,
    *,
    by: User | None,
    write: Callable[[M], Any] | None = None,
    act: TextRevision.Act = Act.CHANGED,
) -> M:
    """Save `row`, new or changed, as far as `by` may; None is the operator.

    `write` saves it where the table has a stage of its own. Raises ValidationError.
    """
    if row.pk is not None:  # ours until the transaction ends
        rows = type(row)._default_manager.select_for_update()
        rows.filter(pk=row.pk).order_by().first()
    row.full_clean()
    check(row, by=by)
    before = stored(row)
    changed = changed_columns(row, before)
    if write is None:
        row.save()
    else:
        write(row)
    _record(row, changed, act=act if before else Act.MADE, by=by)
    if by is not None:
        remit.forget(by)  # a category may have moved
    return row


def add_all(rows: Sequence[Model], *, by: User | None) -> None:
    """Make new rows of one table in bulk. Raises ValidationError."""
    if rows:  # else not even a transaction
        _add_all(rows, by=by)


@transaction.atomic
def _add_all(rows: Sequence[Model], *, by: User | None) -> None:
    library = wording.Library()
    for row in rows:
        check(row, by=by, library=library)
    model = type(rows[0])
    model._default_manager.bulk_create(rows, batch_size=BATCH)
    made = [
        revision
        for row in rows
        for revision in _changes(row, changed_columns(row, None), act=Act.MADE, by=by)
    ]
    TextRevision.objects.bulk_create(made, batch_size=BATCH)
    names = "、".join(map(str, rows))
    told = f"{model._meta.verbose_name} {Act.MADE.label} {len(rows)} 个：{names}"
    audit.note(Deed.Act.CHANGED, told, by=by)
    if by is not None:
        remit.forget(by)


@transaction.atomic
def delete(row: M, *, by: User | None, write: Callable[[M], Any] | None = None) -> None:
    """Delete `row`; its texts stay in the history. Raises ValidationError."""
    scopes.require_scope(row, by=by, deletes=True)
    texts = {name: getattr(row, name) for name in TABLES[type(row)].columns}
    changed = {name: (text, "") for name, text in texts.items() if text}
    key = row.pk
    if write is None:
        row.delete()
    else:
        write(row)
    row.pk = key  # a deleted instance has none
    _record(row, changed, act=Act.DELETED, by=by)
    if by is not None:
        remit.forget(by)


def record_restored(row: Model, *, by: User | None) -> None:
    """Keep in the history that a deleted row is back; the caller has saved it."""
    changed = changed_columns(row, None)
    TextRevision.objects.bulk_create(_changes(row, changed, act=Act.RESTORED, by=by))
    if by is not None:
        remit.forget(by)


def revisions(row: Model) -> QuerySet[TextRevision]:
    """Return the changes of the texts of `row`, the latest first."""
    kind = ContentType.objects.get_for_model(row)
    rows = TextRevision.objects.filter(content_type=kind, object_id=row.pk)
    return rows.select_related("by", "content_type")


def restore(
    revision: TextRevision,
    *,
    by: User | None,
    write: Callable[[Any], Any] | None = None,
) -> Model:
    """Let the column say what it said before `revision`. Raises ValidationError."""
    model = revision.content_type.model_class()
    rows = model._default_manager.filter(pk=revision.object_id) if model else None
    row = rows.first() if rows is not None else None
    if row is None:
        raise ValidationError("这一项已经不在了，不能恢复。")
    if revision.field not in TABLES[type(row)].columns or revision.act == Act.MADE:
        raise ValidationError("这一步没有以前的内容可以恢复。")
    setattr(row, revision.field, revision.before)
    return save(row, by=by, write=write, act=Act.RESTORED)


def _record(
    row: Model,
    changed: dict[str, tuple[str, str]],
    *,
    act: TextRevision.Act,
    by: User | None,
) -> None:
    """Keep what became of the texts of a row, and that `by` did it."""
    if not changed:
        return
    TextRevision.objects.bulk_create(_changes(row, changed, act=act, by=by))
    deed = Deed.Act.DELETED if act == Act.DELETED else Deed.Act.CHANGED
    named = f"{row._meta.verbose_name}「{row}」#{row.pk}"
    audit.note(deed, f"{named} {act.label}", by=by)


def _changes(
    row: Model,
    changed: dict[str, tuple[str, str]],
    *,
    act: TextRevision.Act,
    by: User | None,
) -> list[TextRevision]:
    """Return a revision, not saved yet, of each column."""
    kind = ContentType.objects.get_for_model(row)
    return [
        TextRevision(
            content_type=kind,
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
