"""Where an entry stands after words, for whoever searches on one side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser

from kb import search
from kb.index.engines import EngineUnavailableError
from kb.models import Entry, Reader, SearchSide
from kb.models.relevance_test import MAX_TESTED_RANK
from kb.search import SearchHit

MAX_ENTRIES_ABOVE = 3  # entries told of that stand above


class AnyAgent(AnonymousUser):
    """Any agent: reads what is live, inside too, and is nobody in particular."""

    is_authenticated = True  # type: ignore[assignment]
    is_anonymous = False  # type: ignore[assignment]
    can_read_library = True
    can_edit_library = False
    team_id = None


class ResultRank(NamedTuple):
    """The rank of an entry, 0 for nowhere, and the ids of the first above it.

    Without an entry: 0 when nothing was found, as it should be, else 1.
    """

    rank: int
    entry_ids_above: tuple[int, ...]


def get_test_reader(side: str) -> Reader:
    return AnyAgent() if side == SearchSide.STAFF else AnonymousUser()


def find_result_rank(words: str, *, side: str, entry: int | None) -> ResultRank:
    """Search once for `words` on `side`; raises EngineUnavailable."""
    found = search.search_entries(
        words, user=get_test_reader(side), limit=MAX_TESTED_RANK
    )
    if found.is_degraded:
        raise EngineUnavailableError("a search without the engine proves nothing")
    return _locate_entry(found.hits, entry)


def forecast_result_rank(
    words: str, *, side: str, entry: int | None, draft: Entry
) -> ResultRank:
    """Return the place that there would be if `draft` were published."""
    hits = search.preview_search(
        words, user=get_test_reader(side), entry=draft, limit=MAX_TESTED_RANK
    )
    return _locate_entry(hits, entry)


def _locate_entry(hits: Sequence[SearchHit], entry: int | None) -> ResultRank:
    ids = [hit.entry.pk for hit in hits]
    if entry is None:
        return ResultRank(min(len(ids), 1), tuple(ids[:MAX_ENTRIES_ABOVE]))
    if entry not in ids:
        return ResultRank(0, tuple(ids[:MAX_ENTRIES_ABOVE]))
    at = ids.index(entry)
    return ResultRank(at + 1, tuple(ids[:at][:MAX_ENTRIES_ABOVE]))
