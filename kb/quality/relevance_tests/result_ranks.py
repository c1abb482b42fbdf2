"""The rank of an entry in the results of a search, for customers or for agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser

from kb import search
from kb.index.engines import EngineUnavailableError
from kb.models import Entry, Reader, SearchSide
from kb.models.relevance_test import MAX_TESTED_RANK
from kb.search import SearchHit

MAX_ENTRIES_ABOVE = 3  # ids that are kept of the entries ranked above


class AnyAgent(AnonymousUser):
    """A reader with an agent's view of published entries, without an account or a team."""

    is_authenticated = True  # type: ignore[assignment]
    is_anonymous = False  # type: ignore[assignment]
    can_read_library = True
    can_edit_library = False
    team_id = None


class ResultRank(NamedTuple):
    """The rank of an entry, 0 when it was not found, and ids of the first entries above.

    Of a test that expects no result: 0 when nothing was found, else 1.
    """

    rank: int
    entry_ids_above: tuple[int, ...]


def get_test_reader(side: str) -> Reader:
    """Return who searches on `side`: an agent, or a customer without an account."""
    return AnyAgent() if side == SearchSide.STAFF else AnonymousUser()


def find_result_rank(words: str, *, side: str, entry: int | None) -> ResultRank:
    """Search for `words`; return the rank of the entry with the id `entry`.

    Raises EngineUnavailableError, also when search fell back to the database.
    """
    results = search.search_entries(
        words, user=get_test_reader(side), limit=MAX_TESTED_RANK
    )
    if results.is_degraded:
        raise EngineUnavailableError("a search without the engine tests nothing")
    return _locate_entry(results.hits, entry)


def forecast_result_rank(
    words: str, *, side: str, entry: int | None, draft: Entry
) -> ResultRank:
    """Return the rank that there would be if `draft` were published."""
    hits = search.preview_search(
        words, user=get_test_reader(side), entry=draft, limit=MAX_TESTED_RANK
    )
    return _locate_entry(hits, entry)


def _locate_entry(hits: Sequence[SearchHit], entry: int | None) -> ResultRank:
    """Return the rank of the entry with the id `entry` among `hits`."""
    ids = [hit.entry.pk for hit in hits]
    if entry is None:
        return ResultRank(min(len(ids), 1), tuple(ids[:MAX_ENTRIES_ABOVE]))
    if entry not in ids:
        return ResultRank(0, tuple(ids[:MAX_ENTRIES_ABOVE]))
    at = ids.index(entry)
    return ResultRank(at + 1, tuple(ids[:at][:MAX_ENTRIES_ABOVE]))
