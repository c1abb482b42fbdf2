"""What mentions of a term are worth in a group's fields, by BM25F."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from kb.engines.base import Field, Group, field_name
from kb.engines.packed import MORE, Ints, Pack

T = TypeVar("T", bound=np.generic)
Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.uint32]  # of documents in a segment: half the memory of Ints


class Postings(NamedTuple):
    """Postings of some terms, as a pack has them; those of term t end at edges[t + 1]."""

    docs: Places
    codes: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.uint8]
    edges: Ints

    @classmethod
    def of(cls, pack: Pack, spans: list[slice], edges: Ints) -> Postings:
        """Raises ValueError when the pack was damaged."""
        docs = _column(pack.docs, spans)
        if len(docs) and docs.max() >= len(pack):
            raise ValueError("postings of documents that are not there")
        codes, counts = _column(pack.codes, spans), _column(pack.counts, spans)
        return cls(docs, codes, counts, edges)


class Worth(NamedTuple):
    """Places of documents, ascending for each term, and what the term is worth there.

    That is tf · (k1 + 1) / (tf + k1); Hits has the rest of the formula.
    """

    places: Places
    worth: Floats
    edges: Ints


class Gains:
    """What one mention of a term is worth in a group's fields: weight over norm.

    In document d and the field of code c it is `gains[rows[c] + d]`; `inside`
    tells which codes are those of fields that the group has and that hold text.
    """

    def __init__(self, pack: Pack, averages: dict[str, float], group: Group) -> None:
        fields = _held_fields(group, averages)
        self._k1 = np.float32(group.k1)
        self.inside = np.zeros(256, np.bool_)
        self._rows = np.zeros(256, np.uint32)
        gains = np.zeros((len(fields), len(pack)), np.float32)
        for row, (name, field) in enumerate(fields.items()):
            code = pack.fields.index(name)
            self.inside[[code, code | MORE]] = True
            self._rows[[code, code | MORE]] = row * len(pack)
            ratio = pack.lengths[code] / averages[name]
            gains[row] = field.weight / (1 - field.b + field.b * ratio)
        self._gains = gains.ravel()

    def worth(self, postings: Postings) -> Worth:
        docs, codes, counts, edges = postings
        inside = self.inside.take(codes)
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
        return Worth(docs, worth, edges)


def _column(column: npt.NDArray[T], spans: list[slice]) -> npt.NDArray[T]:
    """Return a column's part; a single one as it stands in the file."""
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
