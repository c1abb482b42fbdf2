"""Deletes a row so that it can be restored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Model

from kb.accounts import audit_log
from kb.library.text_gate import GATED_TABLES
from kb.models import AuditEvent, Autosave, DeletedItem, Entry, Picture, User
from kb.operations.trash.collecting import collect_rows

ModelType = TypeVar("ModelType", bound=Model)
# The audit log records their deletion elsewhere; an autosave is private.
RECORDED_ELSEWHERE = {Entry, User, Group, Autosave, *GATED_TABLES}


@transaction.atomic
def delete_row(
    row: ModelType,
    *,
    by: User | None,
    batch: UUID | None = None,
    write: Callable[[ModelType], Any] | None = None,
) -> DeletedItem:
    """Delete `row` and return the item by which it can be restored.

    `write` deletes it where the table has a function for that; when it raises, nothing
    is deleted. Items that are deleted together get the same `batch`.
    """
    rows, links = collect_rows(row)
    item = DeletedItem(
        content_type=ContentType.objects.get_for_model(row),
        object_id=row.pk,
        name=str(row)[:200],
        batch=batch or uuid4(),
        rows=rows,
        links=links,
        file=_read_file(row) if isinstance(row, Picture) else None,
        deleted_by=by if by is not None and by.pk else None,
    )
    if write is None:
        row.delete()
    else:
        write(row)
    item.save()
    if type(row) not in RECORDED_ELSEWHERE:
        kind = row._meta.verbose_name
        audit_log.record_event(
            AuditEvent.Action.DELETED, f"{kind}「{item.name}」#{item.object_id}", by=by
        )
    return item


def describe_period() -> str:
    """Return for how many days a deletion can be undone, in Chinese."""
    days = settings.KB_RETENTION_DAYS["deleted"]
    return f"{days} 天内可以恢复" if days else "随时可以恢复"


def _read_file(picture: Picture) -> bytes | None:
    try:
        with default_storage.open(picture.name) as file:
            content: bytes = file.read()
            return content
    except OSError:
        return None
