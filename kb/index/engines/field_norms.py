"""BM25F: from postings to impacts, what a term is worth in each document of a segment."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from kb.index.engines.base import FieldGroup, WeightedField, get_field_name
from kb.index.engines.pack_file import SAME_DOCUMENT_FLAG, IntArray, Pack

T = TypeVar("T", bound=np.generic)
FloatArray = npt.NDArray[np.float32]
DocNumbers = npt.NDArray[np.uint32]  # of documents in a segment; half of int64's memory


class Postings(NamedTuple):
    """Postings of t terms as a pack stores them, one term after another.

    docs, codes, counts  [postings] document number, field code, frequency
    edges                [t + 1] those of term n are edges[n]:edges[n + 1]
    """

    docs: DocNumbers
    codes: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.uint8]
    edges: IntArray

    @classmethod
    def from_spans(cls, pack: Pack, spans: list[slice], edges: IntArray) -> Postings:
        """Read `spans` of a pack. Raises ValueError when the pack is damaged."""
        docs = _slice_column(pack.docs, spans)
        if len(docs) and docs.max() >= len(pack):
            raise ValueError("postings of documents that do not exist")
        codes, counts = (
            _slice_column(pack.codes, spans),
            _slice_column(pack.counts, spans),
        )
        return cls(docs, codes, counts, edges)


class ImpactColumns(NamedTuple):
    """Impacts of t terms in one field group, one term after another.

    doc_numbers  [impacts] uint32, ascending within a term
    impacts      [impacts] float32, tf · (k1 + 1) / (tf + k1), without idf and boosts
    edges        [t + 1] those of term n are edges[n]:edges[n + 1]
    """

    doc_numbers: DocNumbers
    impacts: FloatArray
    edges: IntArray


class FieldNorms:
    """The boost of a field over its length norm, for each field of a group and document.

    `_norms` is [fields · documents] float32: that of document d in the field with code
    c is `_norms[_row_starts[c] + d]`. `code_mask` [256] says which codes belong to
    fields of the group that hold text.
    """

    def __init__(
        self, pack: Pack, averages: dict[str, float], group: FieldGroup
    ) -> None:
        fields = _select_nonempty_fields(group, averages)
        self._k1 = np.float32(group.k1)
        self.code_mask = np.zeros(256, np.bool_)
        self._row_starts = np.zeros(256, np.uint32)
        norms = np.zeros((len(fields), len(pack)), np.float32)
        for row, (name, field) in enumerate(fields.items()):
            code = pack.fields.index(name)
            self.code_mask[[code, code | SAME_DOCUMENT_FLAG]] = True
            self._row_starts[[code, code | SAME_DOCUMENT_FLAG]] = row * len(pack)
            ratio = pack.lengths[code] / averages[name]
            norms[row] = field.boost / (1 - field.b + field.b * ratio)
        self._norms = norms.ravel()

    def compute_impacts(self, postings: Postings) -> ImpactColumns:
        """Return the impacts of terms in the group; postings of other fields count nothing.

        Postings of one term and document, in several fields or of counts above 255,
        are added up.
        """
        docs, codes, counts, edges = postings
        inside = self.code_mask.take(codes)
        if not inside.all():
            rows = np.flatnonzero(inside)
            docs, codes, counts = docs.take(rows), codes.take(rows), counts.take(rows)
            edges = rows.searchsorted(edges)
        tf = self._norms.take(self._row_starts.take(codes) + docs)
        tf *= counts
        is_repeated = np.zeros(len(docs) + 1, np.bool_)
        is_repeated[1:-1] = docs[1:] == docs[:-1]
        is_repeated[edges] = False  # the first posting of the next term
        repeats = np.flatnonzero(is_repeated)
        if len(repeats):
            rows = np.flatnonzero(~is_repeated[:-1])
            targets = repeats - np.arange(1, len(repeats) + 1)  # the row of each repeat
            docs, edges = docs.take(rows), rows.searchsorted(edges)
            sums = tf.take(rows)
            np.add.at(sums, targets, tf.take(repeats))
            tf = sums
        impacts = tf * (self._k1 + 1)
        tf += self._k1
        impacts /= tf
        return ImpactColumns(docs, impacts, edges)


def _slice_column(column: npt.NDArray[T], spans: list[slice]) -> npt.NDArray[T]:
    """Return the parts of a column; a single part is a view of the mapped file."""
    if len(spans) == 1:
        return column[spans[0]]
    return np.concatenate([column[span] for span in spans])


def _select_nonempty_fields(
    group: FieldGroup, averages: dict[str, float]
) -> dict[str, WeightedField]:
    """Return {name in a pack: field} of the fields of `group` that hold any text."""
    named = (
        (get_field_name(field.name, pair=pair), field)
        for field in group.fields
        for pair in (False, True)
    )
    return {name: field for name, field in named if name and averages.get(name)}
