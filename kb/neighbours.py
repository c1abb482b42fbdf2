"""What is asked next to an entry: the editors' choice first, then a search that is kept."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.utils import timezone

from kb import search, write_queue
from kb.models import Entry, FollowUp, Neighbours, Reader, shown_to

KEPT = timedelta(days=1)  # the library changes around an entry that does not
MANY = 8  # some of them may be unpublished before they are looked for again


def after(entry: Entry, *, user: Reader, limit: int = 5) -> list[Entry]:
    """Return what readers of `entry` may go on with, each once.

    Ids first and rows by their ids: one query that finds both takes twice as long.
    """
    links = FollowUp.objects.filter(entry=entry.pk).order_by()
    chosen = dict(links.values_list("then", "order"))
    near = _near(entry, user)[:MANY]
    wanted = {*chosen, *near}
    if not wanted:
        return []
    # The database decides who may read it, whatever was kept.
    rows = Entry.objects.published_to(user).for_lists()
    ranks = {pk: rank for rank, pk in enumerate(near)}

    def place(one: Entry) -> tuple[bool, int, int]:
        is_chosen = one.pk in chosen
        order = chosen[one.pk] if is_chosen else ranks[one.pk]
        return (not is_chosen, order, one.pk)

    return sorted(rows.filter(pk__in=wanted).order_by(), key=place)[:limit]


def _near(entry: Entry, user: Reader) -> list[int]:
    """Return ids like `entry`: kept ones for strangers, a search for who sees more."""
    if user.is_authenticated:
        return _searched(entry, user)
    kept: Neighbours | None = getattr(entry, "neighbours", None)  # no row yet: None
    fresh = kept and kept.found_at > timezone.now() - KEPT
    known = kept.ids if kept and fresh and kept.version == entry.version else {}
    scope = _scope(user)
    if scope not in known:
        known = {**known, scope: _searched(entry, user)}
        _keep(entry, known)
    return list(known[scope])


def _searched(entry: Entry, user: Reader) -> list[int]:
    return [one.pk for one in search.related(entry, user=user, limit=MANY)]


def _scope(user: Reader) -> str:
    """Return a name for the part of the library that the site of `user` shows."""
    shown = shown_to(user)
    if shown is None:
        return "all"
    return hashlib.blake2b(repr(sorted(shown)).encode(), digest_size=6).hexdigest()


def _keep(entry: Entry, ids: dict[str, list[int]]) -> None:
    found_at, version = timezone.now(), entry.version

    def write() -> None:
        row = Neighbours(entry_id=entry.pk, ids=ids, version=version)
        row.found_at = found_at
        Neighbours.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["entry"],
            update_fields=["ids", "version", "found_at"],
        )

    write_queue.put(write)
