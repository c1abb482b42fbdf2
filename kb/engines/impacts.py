"""What a term is worth in documents: computed at its first use, then kept."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kb.engines.base import Field, Group, Mask, field_name
from kb.engines.cache import Cache, Shelf
from kb.engines.packed import (
    LABEL,
    LABELS,
    MORE,
    PAIR,
    POSTINGS,
    WORD,
    Ints,
    Pack,
    key_of,
    term_of,
)
from kb.engines.packing import sums

Floats = npt.NDArray[np.float32]
Term = tuple[str, bool]  # and whether it is a pair of characters
Counts = tuple[int, ...]  # documents that hold a term, by group

DRIFT = 0.1  # share by which an average length may move before impacts are remade
CROWD = 3  # a term that more than every 3rd document holds has an impact for each
WARMED = 0.2  # share of the memory that common terms may take, by groups
COMMON = 300  # documents that hold a common term
TOGETHER = 64  # common terms that are computed at a time
MOST_TABLES = 6  # sets of groups that are remembered: those of readers, and some
LONE = 1000  # documents from which on a term is added up on its own


class Impacts(NamedTuple):
    """What a term is worth in each group: tf · (k1 + 1) / (tf + k1).

    `places` of documents ascend; None says that `worth`, of shape [groups,
    places], has a column for every document of the segment. `holds` counts the
    documents by group, the dead too. Hits has the rest of the formula.
    """

    places: Ints | None
    worth: Floats
    holds: Counts


class Segment:
    """Documents that never change, at places 0 to n-1, shared by all threads.

    Impacts are computed at their first use, those of a query's terms at once.
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

    def impacts(
        self, groups: tuple[Group, ...], terms: Sequence[Term]
    ) -> list[Impacts | None]:
        """Return the impacts of each term, None where no document holds it."""
        return self._scale.of(groups).impacts(terms)

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
        self._tables: dict[tuple[Group, ...], _Table] = {}
        self._making = Lock()

    def of(self, groups: tuple[Group, ...]) -> _Table:
        if (table := self._tables.get(groups)) is None:
            with self._making:
                if (table := self._tables.get(groups)) is None:
                    table = _Table(self._pack, self.averages, groups, self._cache)
                    table.warm()
                    if len(self._tables) >= MOST_TABLES:
                        self._tables.pop(next(iter(self._tables)))
                    self._tables[groups] = table
        return table


class _Table:
    """A segment's impacts in some groups.

    One mention of a term in document d and the field of code c is worth
    `gains[g][rows[c] + d]` in group g: the field's weight over its norm. Fields
    without text share a row of zeros.
    """

    def __init__(
        self,
        pack: Pack,
        averages: dict[str, float],
        groups: tuple[Group, ...],
        cache: Cache,
    ) -> None:
        self._pack = pack
        self._budget = cache.budget
        self._k1 = np.array([[group.k1] for group in groups], np.float32)
        # Terms that no document holds are known by a tuple of None.
        self._shelf: Shelf[tuple[Impacts | None]] = Shelf(cache)
        named = [_held_fields(group, averages) for group in groups]
        used = sorted({name for fields in named for name in fields})
        self._rows = np.zeros(256, np.uint32)
        texts = [name for name, average in averages.items() if average]
        self._partial = not set(texts) <= {*used, LABELS}
        gains = np.zeros((len(groups), len(used) + 1, len(pack)), np.float32)
        for row, name in enumerate(used, 1):
            code = pack.fields.index(name)
            self._rows[[code, code | MORE]] = row * len(pack)
            ratio = pack.lengths[code] / averages[name]
            for fields, gain in zip(named, gains, strict=True):
                if field := fields.get(name):
                    gain[row] = field.weight / (1 - field.b + field.b * ratio)
        self._gains = gains.reshape(len(groups), -1)

    def warm(self) -> None:
        """Compute the impacts of the most common terms, as far as a share of memory.

        They are in nearly every query, and most of what a first use would cost.
        """
        sizes = np.diff(self._pack.spans)
        order = np.argsort(sizes)[::-1]
        most = WARMED * self._budget / (8 + 4 * len(self._k1))
        common = order[(np.cumsum(sizes[order]) < most) & (sizes[order] >= COMMON)]
        terms = [term_of(self._pack.key(term)) for term in common.tolist()]
        for start in range(0, len(terms), TOGETHER):
            self.impacts([term for term in terms[start : start + TOGETHER] if term])

    def impacts(self, terms: Sequence[Term]) -> list[Impacts | None]:
        get = self._shelf.get
        known = [get(term) for term in terms]
        if missing := [n for n, found in enumerate(known) if found is None]:
            computed = self._computed([terms[n] for n in missing])
            for n, impacts in zip(missing, computed, strict=True):
                known[n] = found = (impacts,)
                self._shelf.put(terms[n], found, _size(impacts))
        return [found[0] for found in known if found]

    def _computed(self, terms: list[Term]) -> list[Impacts | None]:
        """Compute impacts: of rare terms together, as calls of NumPy have their price."""
        keys = [key_of(PAIR if pair else WORD, term) for term, pair in terms]
        found: list[Impacts | None] = [None] * len(terms)
        rare: list[int] = []
        spans = [slice(*span) for span in zip(*self._pack.find(keys), strict=True)]
        for number, span in enumerate(spans):
            if span.stop - span.start > LONE:
                places, worth, _ = self._worth([span])
                found[number] = self._impacts(places, worth)
            elif span.stop > span.start:
                rare.append(number)
        if rare:
            places, worth, edges = self._worth([spans[number] for number in rare])
            for number, (begin, end) in zip(
                rare, pairwise(edges.tolist()), strict=True
            ):
                # As copies: a part would keep the whole in memory.
                part = places[begin:end].copy(), worth[:, begin:end].copy()
                found[number] = self._impacts(*part)
        return found

    def _worth(self, spans: list[slice]) -> tuple[Ints, Floats, Ints]:
        """Return places and impacts of terms, and where those of each term begin."""
        docs, codes, counts = (_column(self._pack, name, spans) for name in POSTINGS)
        if docs.max() >= len(self._pack):
            raise ValueError("postings of documents that are not there")
        tf = self._gains.take(self._rows.take(codes) + docs, axis=1)
        tf *= counts.astype(np.float32)
        edges = sums([span.stop - span.start for span in spans])
        more = np.flatnonzero(codes >= MORE)
        if len(more):
            rows = np.flatnonzero(codes < MORE)
            docs, edges, all_tf, tf = (
                docs[rows],
                rows.searchsorted(edges),
                tf,
                tf[:, rows],
            )
            into = more - np.arange(1, len(more) + 1)  # the row to which each belongs
            for row, total in zip(all_tf, tf, strict=True):
                np.add.at(total, into, row[more])
        if self._partial and not (held := tf.any(axis=0)).all():
            rows = np.flatnonzero(held)
            docs, tf, edges = docs[rows], tf[:, rows], rows.searchsorted(edges)
        worth = tf * (self._k1 + 1)
        tf += self._k1
        worth /= tf
        return docs.astype(np.int64), worth, edges

    def _impacts(self, places: Ints, worth: Floats) -> Impacts | None:
        if not len(places):
            return None
        held = tuple(int(np.count_nonzero(row)) for row in worth > 0)
        if len(places) > LONE and len(self._pack) < CROWD * len(places):
            whole = np.zeros((len(worth), len(self._pack)), np.float32)
            whole[:, places] = worth
            return Impacts(None, whole, held)
        return Impacts(places, worth, held)


def _column(pack: Pack, name: str, spans: list[slice]) -> npt.NDArray[Any]:
    """Return a column of postings; of a single term, as it stands in the file."""
    column: npt.NDArray[Any] = getattr(pack, name)
    if len(spans) == 1:
        return column[spans[0]]
    return np.concatenate([column[span] for span in spans])


def _held_fields(group: Group, averages: dict[str, float]) -> dict[str, Field]:
    """Return the group's fields that hold any text, by their names in a pack."""
    named = (
        (field_name(field.text, pair=pair), field)
        for field in group.fields
        for pair in (False, True)
    )
    return {name: field for name, field in named if name and averages.get(name)}


def _size(impacts: Impacts | None) -> int:
    if impacts is None:
        return 250  # bytes, the key's and the dict's
    places = 0 if impacts.places is None else impacts.places.nbytes
    return 600 + places + impacts.worth.nbytes
