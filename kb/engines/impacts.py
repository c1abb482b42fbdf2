"""Score BM25F with NumPy: one array of impacts a term, added up and cut."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kb.engines.base import FIELDS, Clause, Group, Hits, Query, holder, idf

Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Impacts = tuple[Places, Floats]  # places of documents, ascending, and a number each
# (field, term) → places of the documents that hold it, and how often each does
Postings = Callable[[str, str], Impacts]

NOTHING = (np.empty(0, np.int32), np.empty(0, np.float32))
MOST_FITS = 100  # sets of labels whose documents are kept: readers × categories
DRIFT = 0.1  # share by which an average length may move before impacts are remade


class Segment:
    """Documents that never change, at places 0 to n-1, shared by all threads.

    `lengths` are terms per document and field. A term's impacts in a group are
    computed at their first use and kept, least recently used first out, within
    `budget` bytes.
    """

    def __init__(
        self, ids: Ints, lengths: dict[str, Floats], postings: Postings, budget: int
    ) -> None:
        self.ids = ids
        self.lengths = lengths
        self.totals = {name: float(a.sum()) for name, a in lengths.items()}
        self._postings = postings
        self._budget = budget
        self._bytes = 0
        self._kept: OrderedDict[tuple[Group, str, bool], Impacts] = OrderedDict()
        self._labels: dict[str, Mask] = {}
        self._averages: dict[str, float] = {}
        self._norms: dict[tuple[str, float], Floats] = {}
        self._lock = Lock()

    def settle(self, averages: dict[str, float]) -> None:
        """Take the average lengths of the whole index, if one of them moved much."""
        with self._lock:
            moved = any(
                abs(average - self._averages.get(name, 0.0)) > DRIFT * average
                for name, average in averages.items()
            )
            if moved:
                self._averages = averages
                self._norms.clear()
                self._kept.clear()
                self._bytes = 0

    def impacts(self, group: Group, term: str, pair: bool) -> Impacts:
        """Return places, and tf · (k1 + 1) / (tf + k1) of each; Hits has the rest."""
        key = (group, term, pair)
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return found
            places, counts = self._frequencies(group, term, pair)
            impacts = counts * (group.k1 + 1) / (counts + group.k1)
            self._keep(key, (places, impacts.astype(np.float32)))
            return self._kept[key]

    def labelled(self, label: str) -> Mask:
        """Return which documents carry `label`."""
        with self._lock:
            if label not in self._labels:
                mask = np.zeros(len(self.ids), np.bool_)
                mask[self._postings("labels", label)[0]] = True
                self._labels[label] = mask
            return self._labels[label]

    def _frequencies(self, group: Group, term: str, pair: bool) -> Impacts:
        """Return places, and the weighed sum of the term's frequencies in each."""
        found: list[Impacts] = []
        for field in group.fields:
            name = holder(field.text, term, pair=pair)
            if name and self.totals[name]:
                places, counts = self._postings(name, term)
                if len(places):
                    weighed = field.weight * counts / self._norm(name, field.b)[places]
                    found.append((places, weighed))
        return found[0] if len(found) == 1 else _merged(found)

    def _norm(self, name: str, b: float) -> Floats:
        if (name, b) not in self._norms:
            ratio = self.lengths[name] / max(self._averages[name], 1e-9)
            self._norms[name, b] = (1 - b + b * ratio).astype(np.float32)
        return self._norms[name, b]

    def _keep(self, key: tuple[Group, str, bool], found: Impacts) -> None:
        self._kept[key] = found
        self._bytes += _size(found)
        while self._bytes > self._budget and len(self._kept) > 1:
            self._bytes -= _size(self._kept.popitem(last=False)[1])


class Fit(NamedTuple):
    """The documents that may be found: which, and how many."""

    mask: Mask
    size: int


class Snapshot:
    """One generation of an index: segments in a row, and which documents live."""

    def __init__(self, segments: list[Segment], alive: Mask) -> None:
        self.segments = segments
        self.alive = alive
        self.ids = np.concatenate([np.empty(0, np.int64), *(s.ids for s in segments)])
        self.starts = np.cumsum([0, *(len(s.ids) for s in segments)])
        self.count = len(self.ids)
        self._fits: dict[tuple[frozenset[str], ...], Fit] = {}
        averages = {
            name: sum(s.totals[name] for s in segments) / max(self.count, 1)
            for name in FIELDS
        }
        for segment in segments:
            segment.settle(averages)

    def search(self, query: Query) -> Hits:
        if not self.count:
            return Hits()
        scores = np.zeros(self.count, np.float32)
        fit = self._fit(query.labels)
        for clause in query.clauses:
            for group in query.groups:
                self._add(scores, clause, group, fit)
        found = (scores > 0) & fit.mask
        if query.minimum:
            found &= self._matched(query) >= query.floor
        return self._best(scores, np.flatnonzero(found), query.limit)

    def holding(self, query: Query) -> tuple[int, ...]:
        if not self.count:
            return (0,) * len(query.clauses)
        fit = self._fit(query.labels)
        return tuple(
            self._holding(clause, query.groups, fit) for clause in query.clauses
        )

    def matched(self, query: Query, ids: Sequence[int]) -> list[frozenset[int]]:
        """Return which clauses each of `ids` matches; a few hundred at most."""
        fit = self._fit(query.labels).mask
        place = {int(self.ids[at]): at for at in np.flatnonzero(np.isin(self.ids, ids))}
        wanted = np.array([place.get(id, -1) for id in ids], np.int64)
        found: list[set[int]] = [set() for _ in ids]
        for at, clause in enumerate(query.clauses):
            for row in np.flatnonzero(self._holds(clause, query.groups[0], wanted)):
                if fit[wanted[row]]:
                    found[row].add(at)
        return [frozenset(clauses) for clauses in found]

    def fitting(self, labels: tuple[frozenset[str], ...]) -> int:
        return self._fit(labels).size if self.count else 0

    def _holds(self, clause: Clause, group: Group, wanted: Ints) -> Mask:
        """Return which of the places `wanted` hold the clause's term."""
        held = np.zeros(len(wanted), np.bool_)
        for start, segment in zip(self.starts, self.segments, strict=False):
            places = segment.impacts(group, clause.term, clause.pair)[0]
            if len(places):
                at = np.searchsorted(places, wanted - start).clip(max=len(places) - 1)
                held |= places[at] == wanted - start
        return held

    def places(self, ids: set[int]) -> list[int]:
        """Return where the living documents of `ids` stand."""
        wanted = np.isin(self.ids, list(ids)) & self.alive
        return [int(place) for place in np.flatnonzero(wanted)]

    def _add(self, scores: Floats, clause: Clause, group: Group, fit: Fit) -> None:
        found = [s.impacts(group, clause.term, clause.pair) for s in self.segments]
        holding = self._count(found, fit)
        if not holding:
            return
        factor = clause.weight * group.weight * idf(fit.size, holding)
        for start, (places, impacts) in zip(self.starts, found, strict=False):
            if not len(places):
                continue
            # No place stands twice in a posting list, so plain addition is right.
            at = places + start if start else places
            scores[at] += np.float32(factor) * impacts

    def _matched(self, query: Query) -> Floats:
        """Return the weight of the clauses that each document matches."""
        matched = np.zeros(self.count, np.float32)
        for clause in query.clauses:
            for start, segment in zip(self.starts, self.segments, strict=False):
                found = segment.impacts(query.groups[0], clause.term, clause.pair)
                matched[found[0] + start] += np.float32(clause.weight)
        return matched

    def _holding(self, clause: Clause, groups: tuple[Group, ...], fit: Fit) -> int:
        """Count by the first group; the others are read with it, for the search."""
        found = [
            [s.impacts(group, clause.term, clause.pair) for s in self.segments]
            for group in groups
        ]
        return self._count(found[0], fit)

    def _count(self, found: list[Impacts], fit: Fit) -> int:
        """Return how many fitting documents stand in `found`, a part a segment."""
        if fit.size == self.count:
            return sum(len(places) for places, _ in found)
        return sum(
            int(np.count_nonzero(fit.mask[places + start if start else places]))
            for start, (places, _) in zip(self.starts, found, strict=False)
            if len(places)
        )

    def _fit(self, groups: tuple[frozenset[str], ...]) -> Fit:
        """Return the living documents with a label of each group, computed once."""
        if (known := self._fits.get(groups)) is not None:
            return known
        mask = self.alive.copy()
        for group in groups:
            either = [self._labelled(label) for label in group]
            mask &= np.logical_or.reduce(either) if either else False
        fit = Fit(mask, int(np.count_nonzero(mask)))
        if len(self._fits) >= MOST_FITS:
            self._fits.clear()
        self._fits[groups] = fit
        return fit

    def _labelled(self, label: str) -> Mask:
        return np.concatenate([s.labelled(label) for s in self.segments])

    def _best(self, scores: Floats, found: Ints, limit: int) -> Hits:
        total = len(found)
        if total > limit:
            # All that tie with the last one stay, so that ids decide, not chance.
            last = np.partition(scores[found], total - limit)[total - limit]
            found = found[scores[found] >= last]
        order = np.lexsort((self.ids[found], -scores[found]))[:limit]
        best = found[order]
        ids = tuple(self.ids[best].tolist())
        return Hits(ids, tuple(scores[best].tolist()), total)


def _merged(parts: list[Impacts]) -> Impacts:
    """Return the union of the places, and the sums where they stand twice."""
    if not parts:
        return NOTHING
    places, at = np.unique(np.concatenate([p for p, _ in parts]), return_inverse=True)
    sums = np.bincount(at, np.concatenate([c for _, c in parts]))
    return places, sums.astype(np.float32)


def _size(found: Impacts) -> int:
    return found[0].nbytes + found[1].nbytes + 250  # bytes, with the key's share
