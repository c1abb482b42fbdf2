"""Autosaves: form fields that a user typed and has not saved yet.

Only the user who typed them can read them. They are deleted when the user saves the
entry or discards the form, and after `AUTOSAVE_RETENTION`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kb.models import Autosave, Entry, User
from kb.text.chinese import normalize

MAX_AUTOSAVE_CHARS = 400_000  # of all names and values of one form together
MAX_NEW_ENTRY_AUTOSAVES = 10  # per user, of entries that were never saved
# A setting of 0 days means that autosaves are never deleted because of their age.
AUTOSAVE_RETENTION = timedelta(days=settings.KB_RETENTION_DAYS["drafts"] or 36_500)
FormFields = list[tuple[str, str]]  # (name, value), in the order of the form


@transaction.atomic
def save_form_fields(
    fields: FormFields, *, entry: Entry | None, by: User, autosave_id: int | None = None
) -> Autosave:
    """Store the fields of a form of `by` in place of the previous autosave; return it.

    `autosave_id` is the previous autosave of a new entry, which has no id of its own.
    Raises ValidationError for a form of more than MAX_AUTOSAVE_CHARS.
    """
    if sum(len(name) + len(value) for name, value in fields) > MAX_AUTOSAVE_CHARS:
        raise ValidationError("内容太长，没有暂存。")
    row = _lock_autosave(entry, by, autosave_id) or Autosave(by=by, entry=entry)
    titles = [value for name, value in fields if name == "question"]
    row.title = normalize.clean_single_line("".join(titles[:1]))[:200]
    row.fields = [(name, normalize.clean_text(value)) for name, value in fields]
    row.save()
    _delete_old_autosaves(by)
    return row


def list_autosaves(entry: Entry | None, *, by: User) -> QuerySet[Autosave]:
    """Return the autosaves of `by` of `entry`, or of new entries for None, newest first."""
    return Autosave.objects.filter(by=by, entry=entry)


def delete_autosaves(*, by: User, ids: Iterable[int]) -> None:
    """Delete those autosaves among `ids` that belong to `by`."""
    Autosave.objects.filter(by=by, pk__in=list(ids)).delete()


def _lock_autosave(
    entry: Entry | None, by: User, autosave_id: int | None
) -> Autosave | None:
    rows = list_autosaves(entry, by=by).select_for_update()
    return rows.first() if entry else rows.filter(pk=autosave_id or 0).first()


def _delete_old_autosaves(by: User) -> None:
    autosaves = Autosave.objects.filter(by=by)
    autosaves.filter(at__lt=timezone.now() - AUTOSAVE_RETENTION).delete()
    new_entry_ids = autosaves.filter(entry=None).values_list("pk", flat=True)
    autosaves.filter(pk__in=list(new_entry_ids[MAX_NEW_ENTRY_AUTOSAVES:])).delete()
