"""Where an entry stands after words, for whoever searches on one side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser

from kb import search
from kb.engines import EngineUnavailable
from kb.models import Entry, Reader, Side
from kb.models.golden import DEEPEST
from kb.search import Hit

ABOVE = 3  # entries told of that stand above


class Colleague(AnonymousUser):
    """Any agent: reads what is live, inside too, and is nobody in particular."""

    is_authenticated = True  # type: ignore[assignment]
    is_anonymous = False  # type: ignore[assignment]
    reads_library = True
    edits_library = False
    team_id = None


class Place(NamedTuple):
    """The rank of an entry, 0 for nowhere, and the ids of the first above it.

    Without an entry: 0 when nothing was found, as it should be, else 1.
    """

    rank: int
    above: tuple[int, ...]


def reader(side: str) -> Reader:
    return Colleague() if side == Side.STAFF else AnonymousUser()


def place(words: str, *, side: str, entry: int | None) -> Place:
    """Search once for `words` on `side`; raises EngineUnavailable."""
    found = search.search(words, user=reader(side), limit=DEEPEST)
    if found.degraded:
        raise EngineUnavailable("a search without the engine proves nothing")
    return _place(found.hits, entry)


def foreseen(words: str, *, side: str, entry: int | None, draft: Entry) -> Place:
    """Return the place that there would be if `draft` were published."""
    hits = search.foreseen(words, user=reader(side), entry=draft, limit=DEEPEST)
    return _place(hits, entry)


def _place(hits: Sequence[Hit], entry: int | None) -> Place:
    ids = [hit.entry.pk for hit in hits]
    if entry is None:
        return Place(min(len(ids), 1), tuple(ids[:ABOVE]))
    if entry not in ids:
        return Place(0, tuple(ids[:ABOVE]))
    at = ids.index(entry)
    return Place(at + 1, tuple(ids[:at][:ABOVE]))
