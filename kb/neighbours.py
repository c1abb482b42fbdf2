"""What is asked next to an entry: the editors' choice first, then a search that is kept."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.utils import timezone

from kb import search
from kb.models import Entry, EntryQuerySet, Neighbours, Reader

log = logging.getLogger(__name__)
KEPT = timedelta(days=1)  # the library changes around an entry that does not
MANY = 12  # found for everybody, of which a site may show a part


def after(entry: Entry, *, user: Reader, limit: int = 5) -> list[Entry]:
    """Return what readers of `entry` may go on with, each once."""
    readable = _readable(user)
    chosen = list(readable.following(entry)[:limit])
    wanted = [pk for pk in _near(entry, user) if pk not in {one.pk for one in chosen}]
    room = limit - len(chosen)
    if not (wanted and room):
        return chosen
    found = readable.in_bulk(wanted)  # the database decides, whatever was kept
    return chosen + [found[pk] for pk in wanted if pk in found][:room]


def _near(entry: Entry, user: Reader) -> list[int]:
    """Return ids like `entry`: kept ones for strangers, a search for who sees more."""
    if user.is_authenticated:
        return [one.pk for one in search.related(entry, user=user, limit=MANY)]
    kept: Neighbours | None = getattr(entry, "neighbours", None)
    fresh = kept and kept.found_at > timezone.now() - KEPT
    if kept and fresh and kept.version == entry.version:
        return list(kept.ids)
    found = search.related(entry, user=AnonymousUser(), limit=MANY)
    return _keep(entry, [one.pk for one in found])


def _keep(entry: Entry, ids: list[int]) -> list[int]:
    row = Neighbours(entry_id=entry.pk, ids=ids, version=entry.version)
    row.found_at = timezone.now()
    try:
        Neighbours.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["entry"],
            update_fields=["ids", "version", "found_at"],
        )
    except DatabaseError:  # a page is shown all the same
        log.warning("neighbours: not kept: the database is busy")
    return ids


def _readable(user: Reader) -> EntryQuerySet:
    long = ("answer", "answer_html", "answer_text")
    return Entry.objects.published_to(user).defer(*long)
