"""Related entries: those that editors chose, then similar ones from a cached search."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from kb import search
from kb.models import Entry, FollowUp, Reader, RelatedEntries, get_visible_category_ids
from kb.system import write_queue

# The library changes around an entry that itself stays the same.
RELATED_CACHE_TIME = timedelta(hours=settings.KB_RELATED_ENTRIES_HOURS)
MAX_RELATED_CANDIDATES = (
    8  # some of them may be unpublished before they are looked for again
)


def list_related_entries(entry: Entry, *, user: Reader, limit: int = 5) -> list[Entry]:
    """Return what readers of `entry` may go on with, each once.

    Ids first and rows by their ids: one query that finds both takes twice as long.
    """
    links = FollowUp.objects.filter(entry=entry.pk).order_by()
    chosen = dict(links.values_list("then", "order"))
    near = _list_similar_ids(entry, user)[:MAX_RELATED_CANDIDATES]
    wanted = {*chosen, *near}
    if not wanted:
        return []
    # The database decides who may read it, whatever was kept.
    rows = Entry.objects.published_to(user).with_list_columns()
    ranks = {pk: rank for rank, pk in enumerate(near)}

    def sort_key(one: Entry) -> tuple[bool, int, int]:
        is_chosen = one.pk in chosen
        order = chosen[one.pk] if is_chosen else ranks[one.pk]
        return (not is_chosen, order, one.pk)

    return sorted(rows.filter(pk__in=wanted).order_by(), key=sort_key)[:limit]


def _list_similar_ids(entry: Entry, user: Reader) -> list[int]:
    """Return ids like `entry`: kept ones for strangers, a search for who sees more."""
    if user.is_authenticated:
        return _search_similar_ids(entry, user)
    kept: RelatedEntries | None = getattr(
        entry, "related_entries", None
    )  # no row yet: None
    fresh = kept and kept.found_at > timezone.now() - RELATED_CACHE_TIME
    known = kept.ids if kept and fresh and kept.version == entry.version else {}
    scope = _name_site_scope(user)
    if scope not in known:
        known = {**known, scope: _search_similar_ids(entry, user)}
        _store_similar_ids(entry, known)
    return list(known[scope])


def _search_similar_ids(entry: Entry, user: Reader) -> list[int]:
    return [
        one.pk
        for one in search.find_related_entries(
            entry, user=user, limit=MAX_RELATED_CANDIDATES
        )
    ]


def _name_site_scope(user: Reader) -> str:
    """Return a name for the part of the library that the site of `user` shows."""
    shown = get_visible_category_ids(user)
    if shown is None:
        return "all"
    return hashlib.blake2b(repr(sorted(shown)).encode(), digest_size=6).hexdigest()


def _store_similar_ids(entry: Entry, ids: dict[str, list[int]]) -> None:
    found_at, version = timezone.now(), entry.version

    def write_row() -> None:
        row = RelatedEntries(entry_id=entry.pk, ids=ids, version=version)
        row.found_at = found_at
        RelatedEntries.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["entry"],
            update_fields=["ids", "version", "found_at"],
        )

    write_queue.enqueue_write(write_row)
