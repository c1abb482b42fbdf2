"""What is typed and not saved is kept for its writer alone, until he saves or drops it."""

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

MAX_AUTOSAVE_CHARS = 400_000  # characters of all fields together
MAX_NEW_ENTRY_AUTOSAVES = 10  # new entries of one person
AUTOSAVE_RETENTION = timedelta(days=settings.KB_RETENTION_DAYS["drafts"] or 36_500)
FormFields = list[tuple[str, str]]


@transaction.atomic
def save_form_fields(
    fields: FormFields, *, entry: Entry | None, by: User, known: int | None = None
) -> Autosave:
    """Keep the fields of a form in place of what `by` had there; return it.

    `known` is the row of a new entry that was kept before. Raises ValidationError.
    """
    if sum(len(name) + len(value) for name, value in fields) > MAX_AUTOSAVE_CHARS:
        raise ValidationError("内容太长，没有暂存。")
    row = _lock_autosave(entry, by, known) or Autosave(by=by, entry=entry)
    titles = [value for name, value in fields if name == "question"]
    row.title = normalize.clean_single_line("".join(titles[:1]))[:200]
    row.fields = [(name, normalize.clean_text(value)) for name, value in fields]
    row.save()
    _delete_old_autosaves(by)
    return row


def list_autosaves(entry: Entry | None, *, by: User) -> QuerySet[Autosave]:
    """Return what `by` has not saved of `entry`, or of new ones, the latest first."""
    return Autosave.objects.filter(by=by, entry=entry)


def delete_autosaves(*, by: User, ids: Iterable[int]) -> None:
    Autosave.objects.filter(by=by, pk__in=list(ids)).delete()


def _lock_autosave(entry: Entry | None, by: User, known: int | None) -> Autosave | None:
    rows = list_autosaves(entry, by=by).select_for_update()
    return rows.first() if entry else rows.filter(pk=known or 0).first()


def _delete_old_autosaves(by: User) -> None:
    mine = Autosave.objects.filter(by=by)
    mine.filter(at__lt=timezone.now() - AUTOSAVE_RETENTION).delete()
    new = mine.filter(entry=None).values_list("pk", flat=True)
    mine.filter(pk__in=list(new[MAX_NEW_ENTRY_AUTOSAVES:])).delete()
