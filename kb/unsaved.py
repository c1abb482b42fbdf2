"""What is typed and not saved is kept for its writer alone, until he saves or drops it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kb.models import Entry, Unsaved, User
from kb.text import normalize

LONGEST = 400_000  # characters of all fields together
MOST = 10  # new entries of one person
OLD = timedelta(days=settings.KB_RETENTION_DAYS["drafts"] or 36_500)
Fields = list[tuple[str, str]]


@transaction.atomic
def keep(
    fields: Fields, *, entry: Entry | None, by: User, known: int | None = None
) -> Unsaved:
    """Keep the fields of a form in place of what `by` had there; return it.

    `known` is the row of a new entry that was kept before. Raises ValidationError.
    """
    if sum(len(name) + len(value) for name, value in fields) > LONGEST:
        raise ValidationError("内容太长，没有暂存。")
    row = _found(entry, by, known) or Unsaved(by=by, entry=entry)
    titles = [value for name, value in fields if name == "question"]
    row.title = normalize.line("".join(titles[:1]))[:200]
    row.fields = [(name, normalize.clean(value)) for name, value in fields]
    row.save()
    _forget_old(by)
    return row


def of(entry: Entry | None, *, by: User) -> QuerySet[Unsaved]:
    """Return what `by` has not saved of `entry`, or of new ones, the latest first."""
    return Unsaved.objects.filter(by=by, entry=entry)


def drop(*, by: User, ids: Iterable[int]) -> None:
    Unsaved.objects.filter(by=by, pk__in=list(ids)).delete()


def _found(entry: Entry | None, by: User, known: int | None) -> Unsaved | None:
    rows = of(entry, by=by).select_for_update()
    return rows.first() if entry else rows.filter(pk=known or 0).first()


def _forget_old(by: User) -> None:
    mine = Unsaved.objects.filter(by=by)
    mine.filter(at__lt=timezone.now() - OLD).delete()
    new = mine.filter(entry=None).values_list("pk", flat=True)
    mine.filter(pk__in=list(new[MOST:])).delete()
