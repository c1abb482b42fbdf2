"""What mentions of a term are worth in a group's fields, by BM25F."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from kb.index.engines.base import FieldGroup, WeightedField, get_field_name
from kb.index.engines.pack_file import SAME_DOCUMENT_FLAG, IntArray, Pack

T = TypeVar("T", bound=np.generic)
FloatArray = npt.NDArray[np.float32]
DocNumbers = npt.NDArray[
    np.uint32
]  # of documents in a segment: half the memory of Ints


class Postings(NamedTuple):
    """Postings of some terms, as a pack has them; those of term t end at edges[t + 1]."""

    docs: DocNumbers
    codes: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.uint8]
    edges: IntArray

    @classmethod
    def from_spans(cls, pack: Pack, spans: list[slice], edges: IntArray) -> Postings:
        """Raises ValueError when the pack was damaged."""
        docs = _slice_column(pack.docs, spans)
        if len(docs) and docs.max() >= len(pack):
            raise ValueError("postings of documents that are not there")
        codes, counts = (
            _slice_column(pack.codes, spans),
            _slice_column(pack.counts, spans),
        )
        return cls(docs, codes, counts, edges)


class ImpactColumns(NamedTuple):
    """Places of documents, ascending for each term, and what the term is worth there.

    That is tf · (k1 + 1) / (tf + k1); Hits has the rest of the formula.
    """

    doc_numbers: DocNumbers
    impacts: FloatArray
    edges: IntArray


class FieldNorms:
    """What one mention of a term is worth in a group's fields: weight over norm.

    In document d and the field of code c it is `gains[rows[c] + d]`; `inside`
    tells which codes are those of fields that the group has and that hold text.
    """

    def __init__(
        self, pack: Pack, averages: dict[str, float], group: FieldGroup
    ) -> None:
        fields = _select_nonempty_fields(group, averages)
        self._k1 = np.float32(group.k1)
        self.code_mask = np.zeros(256, np.bool_)
        self._row_starts = np.zeros(256, np.uint32)
        gains = np.zeros((len(fields), len(pack)), np.float32)
        for row, (name, field) in enumerate(fields.items()):
            code = pack.fields.index(name)
            self.code_mask[[code, code | SAME_DOCUMENT_FLAG]] = True
            self._row_starts[[code, code | SAME_DOCUMENT_FLAG]] = row * len(pack)
            ratio = pack.lengths[code] / averages[name]
            gains[row] = field.boost / (1 - field.b + field.b * ratio)
        self._norms = gains.ravel()

    def compute_impacts(self, postings: Postings) -> ImpactColumns:
        docs, codes, counts, edges = postings
        inside = self.code_mask.take(codes)
        if not inside.all():
            rows = np.flatnonzero(inside)
            docs, codes, counts = docs.take(rows), codes.take(rows), counts.take(rows)
            edges = rows.searchsorted(edges)
        tf = self._norms.take(self._row_starts.take(codes) + docs)
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
        return ImpactColumns(docs, worth, edges)


def _slice_column(column: npt.NDArray[T], spans: list[slice]) -> npt.NDArray[T]:
    """Return a column's part; a single one as it stands in the file."""
    if len(spans) == 1:
        return column[spans[0]]
    return np.concatenate([column[span] for span in spans])


def _select_nonempty_fields(
    group: FieldGroup, averages: dict[str, float]
) -> dict[str, WeightedField]:
    """Return the group's fields that hold any text, by their names in a pack."""
    named = (
        (get_field_name(field.name, pair=pair), field)
        for field in group.fields
        for pair in (False, True)
    )
    return {name: field for name, field in named if name and averages.get(name)}
