"""What terms are worth in a segment: computed all at once, or as they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np

from kb.engines.cache import Cache, Room, Shelf
from kb.engines.gains import Floats, Gains, Places, Postings, Worth
from kb.engines.packed import PAIR, WORD, Ints, Pack, Term, key_of, term_of
from kb.engines.packing import spread, sums

CROWD = 3  # a term that more than every 3rd document holds has an impact for each
LONE = 1000  # documents from which on a term is added up on its own
WARMED = 0.2  # share of the memory that common terms may take, by groups
COMMON = 300  # documents that hold a common term
TOGETHER = 64  # common terms that are computed at a time
BYTES = 10  # that a posting takes, in all groups
SLICE = 250_000  # postings that are computed at a time, where all are
NOWHERE, NOTHING = np.empty(0, np.uint32), np.empty(0, np.float32)


class Impacts(NamedTuple):
    """What a term is worth in the documents that hold it in a group.

    `places` of documents ascend; None says that `worth` has one for every
    document of the segment, zero for most. `holds` counts the documents, the
    dead too.
    """

    places: Places | None
    worth: Floats
    holds: int


class Few(NamedTuple):
    """Impacts of rows that few documents hold, one after another."""

    rows: Ints  # whose they are; there may be none
    sizes: Ints  # how many impacts each has
    places: Ints  # of documents, ready to be indices
    worth: Floats


class Part(NamedTuple):
    """What a query's terms are worth in one segment.

    A row is a term in a group: those in the first group come first. `lone` are
    rows that many documents hold.
    """

    lone: list[tuple[int, Impacts]]
    few: Few | None


class Table(Protocol):
    def found(self, terms: Sequence[Term]) -> Part:
        """Return what each term is worth. Raises ValueError on a damaged pack."""


class Whole:
    """All impacts of a segment, so that no term costs more at its first use.

    Of term t in group g they stand in `edges[g, t]:edges[g, t + 1]`.
    """

    def __init__(self, pack: Pack, gains: Sequence[Gains], room: Room) -> None:
        self._pack = pack
        self._room = room  # given back with the table
        made = [_every(pack, each) for each in gains]
        starts = sums([len(worth.places) for worth in made])[:-1]
        self._edges = np.stack([w.edges for w in made]) + starts[:, None]
        self._places = np.concatenate([worth.places for worth in made])
        self._worth = np.concatenate([worth.worth for worth in made])
        many = np.diff(self._edges) > LONE
        spans = map(slice, self._edges[:, :-1][many], self._edges[:, 1:][many])
        self._lone = {
            int(span.start): _impacts(pack, self._places[span], self._worth[span])
            for span in spans
        }

    def found(self, terms: Sequence[Term]) -> Part:
        at, after = self._pack.terms(_keys(terms))
        begins = self._edges.take(at, axis=1).ravel()
        sizes = self._edges.take(after, axis=1).ravel() - begins
        many = np.flatnonzero(sizes > LONE)
        starts = begins.take(many).tolist()
        lone = [(n, self._lone[s]) for n, s in zip(many.tolist(), starts, strict=True)]
        rows = np.flatnonzero((sizes > 0) & (sizes <= LONE))
        if not len(rows):
            return Part(lone, None)
        sizes = sizes.take(rows)
        every = spread(begins.take(rows), sizes)
        places = self._places.take(every).astype(np.int64)
        return Part(lone, Few(rows, sizes, places, self._worth.take(every)))


class Lazy:
    """The impacts of terms that were asked for, computed at their first use and kept."""

    def __init__(self, pack: Pack, gains: Sequence[Gains], cache: Cache) -> None:
        self._pack = pack
        self._gains = gains
        self._budget = cache.budget
        self._shelf: Shelf[tuple[Impacts | None, ...]] = Shelf(cache)

    def warm(self) -> None:
        """Compute the impacts of the most common terms, as far as a share of memory.

        They are in nearly every query, and most of what a first use would cost.
        """
        sizes = np.diff(self._pack.spans)
        order = np.argsort(sizes)[::-1]
        most = WARMED * self._budget / BYTES
        common = order[(np.cumsum(sizes[order]) < most) & (sizes[order] >= COMMON)]
        terms = [term_of(self._pack.key(term)) for term in common.tolist()]
        for start in range(0, len(terms), TOGETHER):
            self._impacts([term for term in terms[start : start + TOGETHER] if term])

    def found(self, terms: Sequence[Term]) -> Part:
        lone: list[tuple[int, Impacts]] = []
        rows: list[int] = []
        few: list[Impacts] = []
        for group, column in enumerate(zip(*self._impacts(terms), strict=True)):
            for row, impacts in enumerate(column, group * len(terms)):
                if impacts is None:
                    continue
                if impacts.holds > LONE:
                    lone.append((row, impacts))
                else:
                    rows.append(row)
                    few.append(impacts)
        return Part(lone, _together(rows, few) if few else None)

    def _impacts(self, terms: Sequence[Term]) -> list[tuple[Impacts | None, ...]]:
        """Return the impacts of each term, by group."""
        found = self._shelf.get(terms)
        if missing := [n for n, known in enumerate(found) if known is None]:
            asked = [terms[n] for n in missing]
            computed = self._computed(asked)
            self._shelf.put(zip(asked, computed, map(_size, computed), strict=True))
            for n, impacts in zip(missing, computed, strict=True):
                found[n] = impacts
        return [impacts for impacts in found if impacts is not None]

    def _computed(self, terms: list[Term]) -> list[tuple[Impacts | None, ...]]:
        """Compute impacts: of rare terms together, as calls of NumPy have their price."""
        found: list[tuple[Impacts | None, ...]]
        found = [(None,) * len(self._gains)] * len(terms)
        rare: list[int] = []
        spans = list(map(slice, *self._pack.find(_keys(terms))))
        for number, span in enumerate(spans):
            if span.stop - span.start > LONE:
                (found[number],) = self._worth([span])
            elif span.stop > span.start:
                rare.append(number)
        if rare:
            impacts = self._worth([spans[number] for number in rare])
            for number, each in zip(rare, impacts, strict=True):
                found[number] = each
        return found

    def _worth(self, spans: list[slice]) -> list[tuple[Impacts | None, ...]]:
        """Return the impacts of the terms whose postings stand in `spans`.

        Each is a copy, which keeps neither the others nor the mapped file.
        """
        edges = sums([span.stop - span.start for span in spans])
        postings = Postings.of(self._pack, spans, edges)
        groups = []
        for places, worth, ends in (gains.worth(postings) for gains in self._gains):
            groups.append(
                [
                    _impacts(
                        self._pack, places[begin:end].copy(), worth[begin:end].copy()
                    )
                    if end > begin
                    else None
                    for begin, end in pairwise(ends.tolist())
                ]
            )
        return list(zip(*groups, strict=True))


def size(pack: Pack, gains: Sequence[Gains], most: float) -> int:
    """Return how many bytes the impacts of a whole pack take, counted up to `most`."""
    sizes = np.diff(pack.spans)
    crowded = np.count_nonzero((sizes > LONE) & (sizes * CROWD > len(pack)))
    held = len(gains) * (len(pack.spans) + len(pack) * int(crowded))
    for start in range(0, len(pack.codes), SLICE):
        if 8 * held > most:
            break
        codes = pack.codes[start : start + SLICE]
        held += sum(int(np.count_nonzero(each.inside.take(codes))) for each in gains)
    return 8 * held


def _keys(terms: Sequence[Term]) -> list[bytes]:
    return [key_of(PAIR if pair else WORD, term) for term, pair in terms]


def _every(pack: Pack, gains: Gains) -> Worth:
    """Return what every term of a pack is worth, computed in parts."""
    parts, spans, begin = [], pack.spans, 0
    while begin < len(spans) - 1:
        end = int(spans.searchsorted(spans[begin] + SLICE, "right")) - 1
        edges = spans[begin : (end := max(end, begin + 1)) + 1]
        span = slice(int(edges[0]), int(edges[-1]))
        parts.append(gains.worth(Postings.of(pack, [span], edges - edges[0])))
        begin = end
    return Worth(
        np.concatenate([NOWHERE, *(part.places for part in parts)]),
        np.concatenate([NOTHING, *(part.worth for part in parts)]),
        sums(np.concatenate([[], *(np.diff(part.edges) for part in parts)])),
    )


def _together(rows: list[int], impacts: list[Impacts]) -> Few:
    places, worth, sizes = zip(*impacts, strict=True)
    return Few(
        np.array(rows),
        np.array(sizes),
        np.concatenate(places, dtype=np.int64),
        np.concatenate(worth),
    )


def _impacts(pack: Pack, places: Places, worth: Floats) -> Impacts:
    holds = len(places)
    if holds > LONE and len(pack) < CROWD * holds:
        whole = np.zeros(len(pack), np.float32)
        whole[places] = worth
        return Impacts(None, whole, holds)
    return Impacts(places, worth, holds)


def _size(impacts: Iterable[Impacts | None]) -> int:
    """Return the bytes that impacts take, their key and dict too."""
    size = 250
    for each in impacts:
        if each is not None:
            places = 0 if each.places is None else each.places.nbytes
            size += 350 + places + each.worth.nbytes
    return size
