"""Deleting a row in such a way that it can be restored."""

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
# Their deletion is noted in the audit log elsewhere; a draft of a form is private.
NOTED_ELSEWHERE = {Entry, User, Group, Autosave, *GATED_TABLES}


@transaction.atomic
def delete_row(
    row: ModelType,
    *,
    by: User | None,
    batch: UUID | None = None,
    write: Callable[[ModelType], Any] | None = None,
) -> DeletedItem:
    """Delete `row` and return the item by which it can be restored.

    `write` deletes it where the table has a stage of its own; what it raises passes
    through and nothing is deleted. The items of one act get the same `batch`.
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
    if type(row) not in NOTED_ELSEWHERE:
        kind = row._meta.verbose_name
        audit_log.record_event(
            AuditEvent.Action.DELETED, f"{kind}「{item.name}」#{item.object_id}", by=by
        )
    return item


def describe_period() -> str:
    """Return for how long a deletion can be undone, as people say it."""
    days = settings.KB_RETENTION_DAYS["deleted"]
    return f"{days} 天内可以恢复" if days else "随时可以恢复"


def _read_file(picture: Picture) -> bytes | None:
    try:
        with default_storage.open(picture.name) as file:
            content: bytes = file.read()
            return content
    except OSError:
        return None
