"""A part of an index that never changes, and what terms are worth in it."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np

from kb.engines.base import Group, Mask
from kb.engines.cache import Cache
from kb.engines.gains import Gains
from kb.engines.packed import LABEL, Pack, Term, key_of
from kb.engines.tables import Lazy, Part, Table, Whole, size

DRIFT = 0.1  # share by which an average length may move before impacts are remade
MOST_TABLES = 6  # sets of groups that are remembered: those of readers, and some


class Segment:
    """Documents that never change, at places 0 to n-1, shared by all threads.

    What is computed of them is kept within the budget of `cache`.
    """

    def __init__(self, pack: Pack, cache: Cache) -> None:
        self.pack = pack
        self.ids = pack.ids
        self.totals = dict(
            zip(pack.fields, pack.lengths.sum(axis=1).tolist(), strict=True)
        )
        self._cache = cache
        self._labels: dict[str, Mask] = {}
        self._latin: frozenset[str] | None = None
        self._scale = _Scale(pack, {}, cache)

    def settle(self, averages: dict[str, float]) -> None:
        """Take the average lengths of the whole index, if one of them moved much."""
        known = self._scale.averages
        if any(abs(a - known.get(n, 0.0)) > DRIFT * a for n, a in averages.items()):
            self._scale = _Scale(self.pack, averages, self._cache)

    def found(self, groups: tuple[Group, ...], terms: Sequence[Term]) -> Part:
        """Return what each term is worth in each group."""
        return self._scale.of(groups).found(terms)

    def latin(self) -> frozenset[str]:
        """Return the words in Latin letters, read at their first use."""
        if self._latin is None:
            self._latin = frozenset(self.pack.latin())
        return self._latin

    def labelled(self, label: str) -> Mask:
        """Return which documents carry `label`."""
        if (known := self._labels.get(label)) is None:
            known = np.zeros(len(self.ids), np.bool_)
            (begin,), (end,) = self.pack.find([key_of(LABEL, label)])
            known[self.pack.docs[begin:end]] = True
            self._labels[label] = known
        return known


class _Scale:
    """A segment's impacts by one set of average lengths."""

    def __init__(self, pack: Pack, averages: dict[str, float], cache: Cache) -> None:
        self.averages = averages
        self._pack = pack
        self._cache = cache
        self._tables: dict[tuple[Group, ...], Table] = {}
        self._making = Lock()

    def of(self, groups: tuple[Group, ...]) -> Table:
        if (table := self._tables.get(groups)) is None:
            with self._making:
                if (table := self._tables.get(groups)) is None:
                    table = self._table(groups)
                    if len(self._tables) >= MOST_TABLES:
                        self._tables.pop(next(iter(self._tables)))
                    self._tables[groups] = table
        return table

    def _table(self, groups: tuple[Group, ...]) -> Table:
        """Return a table of all impacts, if there is room in memory."""
        gains = [Gains(self._pack, self.averages, group) for group in groups]
        needed = size(self._pack, gains, self._cache.budget / 2)
        if room := self._cache.reserve(needed):
            return Whole(self._pack, gains, room)
        lazy = Lazy(self._pack, gains, self._cache)
        lazy.warm()
        return lazy
