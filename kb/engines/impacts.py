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
Places = npt.NDArray[np.uint32]  # of documents in a segment: half the memory of Ints
Term = tuple[str, bool]  # and whether it is a pair of characters

DRIFT = 0.1  # share by which an average length may move before impacts are remade
CROWD = 3  # a term that more than every 3rd document holds has an impact for each
WARMED = 0.2  # share of the memory that common terms may take, by groups
COMMON = 300  # documents that hold a common term
TOGETHER = 64  # common terms that are computed at a time
BYTES = 10  # that a posting takes, in all groups
MOST_TABLES = 6  # sets of groups that are remembered: those of readers, and some
LONE = 1000  # documents from which on a term is added up on its own


class Impacts(NamedTuple):
    """What a term is worth in the documents that hold it in a group.

    That is tf · (k1 + 1) / (tf + k1); Hits has the rest of the formula. `places`
    of documents ascend; None says that `worth` has one for every document of the
    segment, zero for most. `holds` counts the documents, the dead too.
    """

    places: Places | None
    worth: Floats
    holds: int


ByGroup = tuple[Impacts | None, ...]


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
    ) -> list[ByGroup]:
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
    """A segment's impacts in some groups, of the terms that were asked for."""

    def __init__(
        self,
        pack: Pack,
        averages: dict[str, float],
        groups: tuple[Group, ...],
        cache: Cache,
    ) -> None:
        self._pack = pack
        self._budget = cache.budget
        self._shelf: Shelf[ByGroup] = Shelf(cache)
        self._gains = [_Gains(pack, averages, group) for group in groups]

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
            self.impacts([term for term in terms[start : start + TOGETHER] if term])

    def impacts(self, terms: Sequence[Term]) -> list[ByGroup]:
        found = self._shelf.get(terms)
        if missing := [n for n, known in enumerate(found) if known is None]:
            asked = [terms[n] for n in missing]
            computed = self._computed(asked)
            self._shelf.put(zip(asked, computed, map(_size, computed), strict=True))
            for n, impacts in zip(missing, computed, strict=True):
                found[n] = impacts
        return [impacts for impacts in found if impacts is not None]

    def _computed(self, terms: list[Term]) -> list[ByGroup]:
        """Compute impacts: of rare terms together, as calls of NumPy have their price."""
        keys = [key_of(PAIR if pair else WORD, term) for term, pair in terms]
        found: list[ByGroup] = [(None,) * len(self._gains)] * len(terms)
        rare: list[int] = []
        spans = [slice(*span) for span in zip(*self._pack.find(keys), strict=True)]
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

    def _worth(self, spans: list[slice]) -> list[ByGroup]:
        """Return the impacts of the terms whose postings stand in `spans`."""
        docs, codes, counts = (_column(self._pack, name, spans) for name in POSTINGS)
        if docs.max() >= len(self._pack):
            raise ValueError("postings of documents that are not there")
        edges = sums([span.stop - span.start for span in spans])
        groups = []
        for gains in self._gains:
            places, worth, ends = gains.worth(docs, codes, counts, edges)
            groups.append(
                [
                    self._impacts(places[begin:end], worth[begin:end])
                    if end > begin
                    else None
                    for begin, end in pairwise(ends.tolist())
                ]
            )
        return list(zip(*groups, strict=True))

    def _impacts(self, places: Places, worth: Floats) -> Impacts:
        """Return a part of arrays as one of its own, which does not keep the whole."""
        holds = len(places)
        if holds > LONE and len(self._pack) < CROWD * holds:
            whole = np.zeros(len(self._pack), np.float32)
            whole[places] = worth
            return Impacts(None, whole, holds)
        return Impacts(places.copy(), worth.copy(), holds)


class _Gains:
    """What one mention of a term is worth in a group's fields: weight over norm.

    In document d and the field of code c it is `gains[rows[c] + d]`; `inside`
    tells which codes are those of fields that the group has and that hold text.
    """

    def __init__(self, pack: Pack, averages: dict[str, float], group: Group) -> None:
        fields = _held_fields(group, averages)
        self._k1 = np.float32(group.k1)
        self._inside = np.zeros(256, np.bool_)
        self._rows = np.zeros(256, np.uint32)
        gains = np.zeros((len(fields), len(pack)), np.float32)
        for row, (name, field) in enumerate(fields.items()):
            code = pack.fields.index(name)
            self._inside[[code, code | MORE]] = True
            self._rows[[code, code | MORE]] = row * len(pack)
            ratio = pack.lengths[code] / averages[name]
            gains[row] = field.weight / (1 - field.b + field.b * ratio)
        self._gains = gains.ravel()

    def worth(
        self,
        docs: Places,
        codes: npt.NDArray[np.uint8],
        counts: npt.NDArray[np.uint8],
        edges: Ints,
    ) -> tuple[Places, Floats, Ints]:
        """Return places of documents, impacts, and where those of each term begin."""
        inside = self._inside.take(codes)
        if not inside.all():
            rows = np.flatnonzero(inside)
            docs, codes, counts = docs.take(rows), codes.take(rows), counts.take(rows)
            edges = rows.searchsorted(edges)
        tf = self._gains.take(self._rows.take(codes) + docs)
        tf *= counts
        again = np.zeros(len(docs) + 1, np.bool_)
        again[1:-1] = docs[1:] == docs[:-1]
        again[edges] = False  # another term's
        more = np.flatnonzero(again)
        if len(more):
            rows = np.flatnonzero(~again[:-1])
            into = more - np.arange(1, len(more) + 1)  # the row to which each belongs
            docs, edges = docs.take(rows), rows.searchsorted(edges)
            once = tf.take(rows)
            np.add.at(once, into, tf.take(more))
            tf = once
        worth = tf * (self._k1 + 1)
        tf += self._k1
        worth /= tf
        return docs, worth, edges


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


def _size(impacts: ByGroup) -> int:
    """Return the bytes that impacts take, their key and dict too."""
    size = 250
    for each in impacts:
        if each is not None:
            places = 0 if each.places is None else each.places.nbytes
            size += 350 + places + each.worth.nbytes
    return size
