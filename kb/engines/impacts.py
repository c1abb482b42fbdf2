"""Score BM25 with NumPy: one array of impacts a term, added up and cut."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import numpy as np
import numpy.typing as npt

from kb.engines.base import FIELDS, K1, Hits, Query, idf

Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
# (field, term) → places of the documents that hold it, and how often each does
Postings = Callable[[str, str], tuple[Places, Floats]]

NOTHING = (np.empty(0, np.int32), np.empty(0, np.float32))
DRIFT = 0.1  # share by which an average length may move before impacts are remade


class Segment:
    """Documents that never change, at places 0 to n-1, shared by all threads.

    `lengths` are terms per document and field. Impacts are computed at a term's
    first use and kept, least recently used first out, within `budget` bytes.
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
        self._kept: OrderedDict[tuple[str, str], tuple[Places, Floats]] = OrderedDict()
        self._labels: dict[str, Mask] = {}
        self._averages: dict[str, float] = {}
        self._norms: dict[str, Floats] = {}
        self._lock = Lock()

    def settle(self, averages: dict[str, float]) -> None:
        """Take the average lengths of the whole index, if they moved much."""
        with self._lock:
            for name, average in averages.items():
                known = self._averages.get(name, 0.0)
                if not known or abs(average - known) > DRIFT * known:
                    self._measure(name, average)

    def impacts(self, field: str, term: str) -> tuple[Places, Floats]:
        """Return places and tf·(k1+1) / (tf + k1·(1−b+b·length/average))."""
        key = (field, term)
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return found
            places, counts = self._postings(field, term)
            if len(places):
                counts = counts * (K1 + 1) / (counts + self._norms[field][places])
            self._keep(key, (places, counts.astype(np.float32)))
            return self._kept[key]

    def labelled(self, label: str) -> Mask:
        """Return which documents carry `label`."""
        with self._lock:
            if label not in self._labels:
                mask = np.zeros(len(self.ids), np.bool_)
                mask[self._postings("labels", label)[0]] = True
                self._labels[label] = mask
            return self._labels[label]

    def _measure(self, name: str, average: float) -> None:
        b = FIELDS[name]
        self._averages[name] = average
        self._norms[name] = (
            K1 * (1 - b + b * self.lengths[name] / max(average, 1e-9))
        ).astype(np.float32)
        for key in [k for k in self._kept if k[0] == name]:
            places, counts = self._kept.pop(key)
            self._bytes -= _size(places, counts)

    def _keep(self, key: tuple[str, str], found: tuple[Places, Floats]) -> None:
        self._kept[key] = found
        self._bytes += _size(*found)
        while self._bytes > self._budget and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._bytes -= _size(*old)


class Snapshot:
    """One generation of an index: segments in a row, and which documents live."""

    def __init__(self, segments: list[Segment], alive: Mask) -> None:
        self.segments = segments
        self.alive = alive
        self.ids = np.concatenate([np.empty(0, np.int64), *(s.ids for s in segments)])
        self.starts = np.cumsum([0, *(len(s.ids) for s in segments)])
        self.count = len(self.ids)
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
        for clause in query.clauses:
            self._add(scores, clause.field, clause.term, clause.weight)
        matched = (scores > 0) & self._allowed(query.labels)
        return self._best(scores, np.flatnonzero(matched), query.limit)

    def places(self, ids: set[int]) -> list[int]:
        """Return where the living documents of `ids` stand."""
        wanted = np.isin(self.ids, list(ids)) & self.alive
        return [int(place) for place in np.flatnonzero(wanted)]

    def _add(self, scores: Floats, field: str, term: str, weight: float) -> None:
        found = [segment.impacts(field, term) for segment in self.segments]
        holding = sum(len(places) for places, _ in found)
        if not holding:
            return
        factor = np.float32(weight * idf(self.count, holding))
        for start, (places, impacts) in zip(self.starts, found, strict=False):
            # No place stands twice in a posting list, so plain addition is right.
            scores[places + start if start else places] += factor * impacts

    def _allowed(self, groups: tuple[frozenset[str], ...]) -> Mask:
        allowed = self.alive.copy()
        for group in groups:
            either = [self._labelled(label) for label in group]
            allowed &= np.logical_or.reduce(either) if either else False
        return allowed

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


def _size(places: Places, impacts: Floats) -> int:
    return places.nbytes + impacts.nbytes + 200  # bytes, with the key's share
