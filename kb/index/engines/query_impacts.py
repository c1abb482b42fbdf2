"""The impacts of a query's clauses over all segments, in arrays that are summed at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from kb.index.engines.base import Mask
from kb.index.engines.field_norms import DocNumbers, FloatArray
from kb.index.engines.impact_tables import SegmentImpacts, SparseImpacts, TermImpacts
from kb.index.engines.pack_file import IntArray


class FrequentRow(NamedTuple):
    """The impacts of one row with many documents, in one segment.

    `segment` is the range of the segment's documents among those of the index.
    """

    row: int
    segment: slice
    impacts: TermImpacts


class QueryImpacts(NamedTuple):
    """All impacts of a query's clauses; rows as in SegmentImpacts."""

    frequent: list[FrequentRow]
    sparse: SparseImpacts | None


def gather_impacts(parts: Iterable[tuple[slice, SegmentImpacts]]) -> QueryImpacts:
    """Join (range of documents, impacts) of segments; numbers become those of the index."""
    frequent: list[FrequentRow] = []
    sparse: list[SparseImpacts] = []
    for segment, part in parts:
        frequent += [
            FrequentRow(row, segment, impacts) for row, impacts in part.frequent
        ]
        if rows := part.sparse:
            sparse.append(rows._replace(doc_numbers=rows.doc_numbers + segment.start))
    if len(sparse) > 1:
        sparse = [SparseImpacts(*map(np.concatenate, zip(*sparse, strict=True)))]
    return QueryImpacts(frequent, sparse[0] if sparse else None)


def sum_scores(impacts: QueryImpacts, factors: FloatArray, count: int) -> FloatArray:
    """Return [count] float32: for each document the sum of impact · factor of its row.

    `factors` is [groups · terms] float32.
    """
    sums = np.zeros(count, np.float32)
    for row, segment, (doc_numbers, values, _) in impacts.frequent:
        if doc_numbers is None:
            sums[segment] += values * factors[row]
        else:
            at = doc_numbers.astype(np.int64)
            np.add.at(sums[segment], at, values * factors[row])
    if sparse := impacts.sparse:
        products = np.repeat(factors.take(sparse.rows), sparse.sizes)
        products *= sparse.impacts
        np.add.at(sums, sparse.doc_numbers, products)
    return sums


def count_sparse_documents(sparse: SparseImpacts, mask: Mask) -> IntArray:
    """Return [rows] how many documents of `mask` [documents] each row has."""
    is_counted = mask.take(sparse.doc_numbers)
    counts: IntArray = np.add.reduceat(
        is_counted, sparse.sizes.cumsum() - sparse.sizes, dtype=np.int64
    )
    return counts


def count_frequent_documents(row: FrequentRow, mask: Mask) -> int:
    """Return how many documents of `mask` [documents] the row has in its segment."""
    doc_numbers, values, _ = row.impacts
    segment_mask = mask[row.segment]
    is_counted = (
        segment_mask & (values > 0)
        if doc_numbers is None
        else segment_mask.take(doc_numbers)
    )
    return int(np.count_nonzero(is_counted))


def find_matching_clauses(
    impacts: QueryImpacts, doc_numbers: IntArray, shape: tuple[int, int]
) -> Mask:
    """Return [doc_numbers, clauses] bool: which documents have each clause's term.

    Only the first group counts. `doc_numbers` ascend; `shape` is (documents, clauses)
    of the whole index and query.
    """
    documents, clauses = shape
    matches = np.zeros((len(doc_numbers), clauses), np.bool_)
    parts: dict[int, tuple[slice, DocNumbers]] = {}
    for row, segment, (row_numbers, values, _) in impacts.frequent:
        if row >= clauses:
            continue
        if segment.start not in parts:
            edges = doc_numbers.searchsorted((segment.start, segment.stop))
            part = slice(*edges.tolist())
            within = (doc_numbers[part] - segment.start).astype(np.uint32)
            parts[segment.start] = part, within
        part, within = parts[segment.start]
        matches[part, row] = _mask_row_documents(row_numbers, values, within)
    if sparse := impacts.sparse:
        line_by_number = np.full(documents, -1, np.int16)
        line_by_number[doc_numbers] = np.arange(len(doc_numbers))
        lines = line_by_number.take(sparse.doc_numbers)
        hits = np.flatnonzero(lines >= 0)
        ends = sparse.sizes.cumsum()
        rows = sparse.rows.take(ends.searchsorted(hits, side="right"))
        is_first_group = np.flatnonzero(rows < clauses)
        matches[lines.take(hits.take(is_first_group)), rows.take(is_first_group)] = True
    return matches


def _mask_row_documents(
    row_numbers: DocNumbers | None, values: FloatArray, doc_numbers: DocNumbers
) -> Mask:
    """Return [doc_numbers] bool: which are among `row_numbers`, or dense `values`."""
    if row_numbers is None:
        return values.take(doc_numbers) > 0
    at = row_numbers.searchsorted(doc_numbers)
    at[at == len(row_numbers)] = 0
    is_held: Mask = row_numbers.take(at) == doc_numbers
    return is_held


def flatten_impacts(impacts: QueryImpacts) -> QueryImpacts:
    """Return `impacts` with 1 for each above 0, to sum the weights of matches."""
    frequent = [
        part._replace(
            impacts=part.impacts._replace(
                impacts=(part.impacts.impacts > 0).astype("f")
            )
        )
        for part in impacts.frequent
    ]
    sparse = impacts.sparse and impacts.sparse._replace(
        impacts=np.ones_like(impacts.sparse.impacts)
    )
    return QueryImpacts(frequent, sparse)
