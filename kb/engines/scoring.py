"""Score BM25F with NumPy: add up what terms are worth, cut, and sort the best."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from kb.engines.base import Group, Hits, Mask, Query, idfs
from kb.engines.gains import Floats
from kb.engines.gathering import (
    Found,
    Lone,
    added,
    counted,
    fitting,
    fitting_of,
    gathered,
    holding,
)
from kb.engines.packed import Ints, Term
from kb.engines.segments import Segment

MOST_FITS = 100  # sets of labels whose documents are kept: readers × categories
MOST_COUNTS = 10_000  # common terms counted among the documents of one such set
CUT = 16  # blocks of documents for each hit that is wanted, when the best are cut
NO_ID = np.iinfo(np.int64).max

Labels = tuple[frozenset[str], ...]


class Fit:
    """The documents that may be found: which, and how many."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.size = int(np.count_nonzero(mask))
        self.all = self.size == len(mask)
        self._held: dict[tuple[int, Group, Term], int] = {}

    def holding(self, lone: Lone, group: Group, term: Term) -> int:
        """Return how many of a term's documents fit; they are many, and counted once."""
        if self.all:
            return lone.impacts.holds
        key = (lone.segment.start, group, term)
        if (count := self._held.get(key)) is None:
            if len(self._held) >= MOST_COUNTS:
                self._held.clear()
            count = self._held[key] = fitting_of(lone, self.mask)
        return count


class Snapshot:
    """One generation of an index: segments in a row, and which documents live."""

    def __init__(self, segments: list[Segment], alive: Mask) -> None:
        self.segments = segments
        self.alive = alive
        self.ids = np.concatenate([np.empty(0, np.int64), *(s.ids for s in segments)])
        self.count = len(self.ids)
        ends = np.cumsum([0, *(len(s.ids) for s in segments)]).tolist()
        self._slices = [slice(*edges) for edges in pairwise(ends)]
        self._fits: dict[Labels, Fit] = {}
        self._last: tuple[tuple[tuple[Group, ...], list[Term]], Found]
        self._last = ((), []), Found([], None)
        names = {name for segment in segments for name in segment.totals}
        averages = {
            name: sum(s.totals[name] for s in segments) / max(self.count, 1)
            for name in names
        }
        for segment in segments:
            segment.settle(averages)

    def search(self, query: Query) -> Hits:
        if not self.count or not query.clauses:
            return Hits()
        fit = self._fit(query.labels)
        terms = [(clause.term, clause.pair) for clause in query.clauses]
        found = self._found(query.groups, terms)
        counts = self._counts(query.groups, terms, found, fit)
        factors = _factors(query, fit.size, counts)
        scores = added(found, factors, self.count)
        if not fit.all:
            scores *= fit.mask
        if query.minimum:
            scores *= self._matched(query, found) >= query.floor
        return self._best(scores, query.limit)

    def holding(self, query: Query) -> tuple[int, ...]:
        if not self.count or not query.clauses:
            return (0,) * len(query.clauses)
        fit = self._fit(query.labels)
        terms = [(clause.term, clause.pair) for clause in query.clauses]
        found = self._found(query.groups, terms)
        counts = self._counts(query.groups, terms, found, fit)
        return tuple(counts[: len(terms)].tolist())

    def matched(self, query: Query, ids: Sequence[int]) -> Mask:
        """Return which of `ids`, a few hundred at most, match which clauses."""
        matches = np.zeros((len(ids), len(query.clauses)), np.bool_)
        if not self.count or not query.clauses:
            return matches
        terms = [(clause.term, clause.pair) for clause in query.clauses]
        rows, near = self._places(ids, self._fit(query.labels))
        found = self._found(query.groups, terms)
        matches[rows] = holding(found, near, (self.count, len(terms)))
        return matches

    def _places(self, ids: Sequence[int], fit: Fit) -> tuple[Ints, Ints]:
        """Return which of `ids` fit, and their places among all documents, ascending."""
        asked = np.array(ids, np.int64)
        living, known = self._by_id
        at = known.searchsorted(asked)
        rows = np.flatnonzero(known.take(at) == asked)
        places = living.take(at.take(rows))
        order = places.argsort()
        order = order[fit.mask.take(places.take(order))]
        return rows.take(order), places.take(order)

    @cached_property
    def _by_id(self) -> tuple[Ints, Ints]:
        """The places of living documents in order of id, and the ids; one more ends it."""
        living = np.flatnonzero(self.alive)
        living = living[self.ids.take(living).argsort(kind="stable")]
        return living, np.append(self.ids.take(living), NO_ID)

    def fitting(self, labels: Labels) -> int:
        return self._fit(labels).size if self.count else 0

    def where(self, ids: set[int]) -> list[list[int]]:
        """Return where the living documents of `ids` stand in each segment."""
        wanted = np.isin(self.ids, list(ids)) & self.alive
        return [np.flatnonzero(wanted[segment]).tolist() for segment in self._slices]

    def _found(self, groups: tuple[Group, ...], terms: list[Term]) -> Found:
        """Return the impacts of terms; whoever searches soon asks what matched."""
        asked, found = self._last
        if asked != (groups, terms):
            found = self._find(groups, terms)
            self._last = (groups, terms), found
        return found

    def _find(self, groups: tuple[Group, ...], terms: list[Term]) -> Found:
        found = (segment.found(groups, terms) for segment in self.segments)
        return gathered(zip(self._slices, found, strict=True))

    def _counts(
        self, groups: tuple[Group, ...], terms: list[Term], found: Found, fit: Fit
    ) -> Ints:
        """Return how many fitting documents hold each row."""
        counts = np.zeros(len(groups) * len(terms), np.int64)
        for lone in found.lone:
            group, number = divmod(lone.row, len(terms))
            counts[lone.row] += fit.holding(lone, groups[group], terms[number])
        if few := found.few:
            held = few.sizes if fit.all else fitting(few, fit.mask)
            np.add.at(counts, few.rows, held)
        return counts

    def _matched(self, query: Query, found: Found) -> Floats:
        """Return the weight of the clauses that each document matches."""
        weights = np.zeros((len(query.groups), len(query.clauses)), np.float32)
        weights[0] = [clause.weight for clause in query.clauses]
        return added(counted(found), weights.ravel(), self.count)

    def _fit(self, groups: Labels) -> Fit:
        """Return the living documents with a label of each group, computed once."""
        if (known := self._fits.get(groups)) is not None:
            return known
        mask = self.alive.copy()
        for group in groups:
            either = [self._labelled(label) for label in group]
            mask &= np.logical_or.reduce(either) if either else False
        fit = Fit(mask)
        if len(self._fits) >= MOST_FITS:
            self._fits.clear()
        self._fits[groups] = fit
        return fit

    def _labelled(self, label: str) -> Mask:
        return np.concatenate([s.labelled(label) for s in self.segments])

    def _best(self, scores: Floats, limit: int) -> Hits:
        total = int(np.count_nonzero(found := scores > 0))
        if total > limit and (floor := _floor(scores, limit)) > 0:
            found = scores >= floor
        at = np.flatnonzero(found)
        if len(at) > limit:
            # All that tie with the last one stay, so that ids decide, not chance.
            last = np.partition(scores[at], len(at) - limit)[len(at) - limit]
            at = at[scores[at] >= last]
        best = at[np.lexsort((self.ids[at], -scores[at]))[:limit]]
        return Hits(tuple(self.ids[best].tolist()), tuple(scores[best].tolist()), total)


def _factors(query: Query, documents: int, counts: Ints) -> Floats:
    """Return what impacts are multiplied by, one a row; see Hits."""
    weights = np.array([clause.weight for clause in query.clauses])
    groups = np.array([[group.weight] for group in query.groups])
    rarity = idfs(documents, counts)
    factors: Floats = ((groups * weights).ravel() * rarity).astype("f")
    return factors


def _floor(scores: Floats, limit: int) -> float:
    """Return a score that at least `limit` documents reach, or zero.

    The best of each block is a document of its own, so that the limit-th best
    of them is no better than the limit-th best of all.
    """
    size = max(len(scores) // (CUT * limit), 1)
    rows = len(scores) // size
    if rows < limit:
        return 0.0
    best = scores[: size * rows].reshape(size, rows).max(axis=0)
    return float(np.partition(best, rows - limit)[rows - limit])
