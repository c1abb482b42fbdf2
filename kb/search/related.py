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
# More than are shown: some may be unpublished before the search runs again.
MAX_RELATED_CANDIDATES = 8


def list_related_entries(entry: Entry, *, user: Reader, limit: int = 5) -> list[Entry]:
    """Return the entries that `user` may read after `entry`, each once.

    Ids are read first, then rows by id: one query for both takes twice as long.
    """
    links = FollowUp.objects.filter(entry=entry.pk).order_by()
    chosen = dict(links.values_list("then", "order"))
    similar_ids = _list_similar_ids(entry, user)[:MAX_RELATED_CANDIDATES]
    ids = {*chosen, *similar_ids}
    if not ids:
        return []
    # The database decides who may read them, whatever the cache holds.
    entries = Entry.objects.published_to(user).with_list_columns()
    ranks = {pk: rank for rank, pk in enumerate(similar_ids)}

    def sort_key(related: Entry) -> tuple[bool, int, int]:
        is_chosen = related.pk in chosen
        order = chosen[related.pk] if is_chosen else ranks[related.pk]
        return (not is_chosen, order, related.pk)

    return sorted(entries.filter(pk__in=ids).order_by(), key=sort_key)[:limit]


def _list_similar_ids(entry: Entry, user: Reader) -> list[int]:
    """Return similar ids: from the cache for the public, by a search for users."""
    if user.is_authenticated:
        return _search_similar_ids(entry, user)
    # None where there is no row yet.
    row: RelatedEntries | None = getattr(entry, "related_entries", None)
    is_fresh = row and row.found_at > timezone.now() - RELATED_CACHE_TIME
    ids = row.ids if row and is_fresh and row.version == entry.version else {}
    scope = _name_site_scope(user)
    if scope not in ids:
        ids = {**ids, scope: _search_similar_ids(entry, user)}
        _store_similar_ids(entry, ids)
    return list(ids[scope])


def _search_similar_ids(entry: Entry, user: Reader) -> list[int]:
    entries = search.find_related_entries(
        entry, user=user, limit=MAX_RELATED_CANDIDATES
    )
    return [related.pk for related in entries]


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
