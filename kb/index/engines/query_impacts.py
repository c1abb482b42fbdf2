"""Gather the impacts of a query's clauses in arrays, to be added up at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from kb.index.engines.base import Mask
from kb.index.engines.field_norms import DocNumbers, FloatArray
from kb.index.engines.impact_tables import SegmentImpacts, SparseImpacts, TermImpacts
from kb.index.engines.pack_file import IntArray


class FrequentRow(NamedTuple):
    """The impacts of one row in one segment that many documents hold."""

    row: int
    segment: slice  # where it stands among all documents
    impacts: TermImpacts


class QueryImpacts(NamedTuple):
    """All impacts of a query's clauses."""

    frequent: list[FrequentRow]
    sparse: SparseImpacts | None


def gather_impacts(parts: Iterable[tuple[slice, SegmentImpacts]]) -> QueryImpacts:
    """Return as arrays what clauses are worth in segments, given where each stands."""
    lone: list[FrequentRow] = []
    several: list[SparseImpacts] = []
    for where, part in parts:
        lone += [FrequentRow(row, where, impacts) for row, impacts in part.frequent]
        if few := part.sparse:
            several.append(few._replace(doc_numbers=few.doc_numbers + where.start))
    if len(several) > 1:
        several = [SparseImpacts(*map(np.concatenate, zip(*several, strict=True)))]
    return QueryImpacts(lone, several[0] if several else None)


def sum_scores(found: QueryImpacts, factors: FloatArray, count: int) -> FloatArray:
    """Return for each of `count` documents the sum of impact · factor, one a row."""
    sums = np.zeros(count, np.float32)
    for row, segment, (places, worth, _) in found.frequent:
        if places is None:
            sums[segment] += worth * factors[row]
        else:
            np.add.at(sums[segment], places.astype(np.int64), worth * factors[row])
    if few := found.sparse:
        each = np.repeat(factors.take(few.rows), few.sizes)
        each *= few.impacts
        np.add.at(sums, few.doc_numbers, each)
    return sums


def count_sparse_documents(few: SparseImpacts, mask: Mask) -> IntArray:
    """Return how many documents of `mask` hold each row."""
    held = mask.take(few.doc_numbers)
    counts: IntArray = np.add.reduceat(
        held, few.sizes.cumsum() - few.sizes, dtype=np.int64
    )
    return counts


def count_frequent_documents(lone: FrequentRow, mask: Mask) -> int:
    """Return how many documents of `mask` hold a row that many hold."""
    places, worth, _ = lone.impacts
    here = mask[lone.segment]
    held = here & (worth > 0) if places is None else here.take(places)
    return int(np.count_nonzero(held))


def find_matching_clauses(
    found: QueryImpacts, near: IntArray, shape: tuple[int, int]
) -> Mask:
    """Return which documents at `near`, ascending, hold each clause's term.

    In the first group, that is; shaped [near, clauses]. `shape` says how many
    documents and clauses there are in all.
    """
    documents, clauses = shape
    holds = np.zeros((len(near), clauses), np.bool_)
    parts: dict[int, tuple[slice, DocNumbers]] = {}
    for row, segment, (places, worth, _) in found.frequent:
        if row >= clauses:
            continue
        if segment.start not in parts:
            here = slice(*near.searchsorted((segment.start, segment.stop)).tolist())
            parts[segment.start] = here, (near[here] - segment.start).astype(np.uint32)
        here, at = parts[segment.start]
        holds[here, row] = _mask_held_documents(places, worth, at)
    if few := found.sparse:
        line_of = np.full(documents, -1, np.int16)
        line_of[near] = np.arange(len(near))
        lines = line_of.take(few.doc_numbers)
        hits = np.flatnonzero(lines >= 0)
        rows = few.rows.take(few.sizes.cumsum().searchsorted(hits, side="right"))
        first = np.flatnonzero(rows < clauses)
        holds[lines.take(hits.take(first)), rows.take(first)] = True
    return holds


def _mask_held_documents(
    places: DocNumbers | None, worth: FloatArray, near: DocNumbers
) -> Mask:
    """Return which documents at `near` are among `places`."""
    if places is None:
        return worth.take(near) > 0
    at = places.searchsorted(near)
    at[at == len(places)] = 0
    held: Mask = places.take(at) == near
    return held


def flatten_impacts(found: QueryImpacts) -> QueryImpacts:
    """Return one for what each impact is worth: to be a match is all that counts."""
    lone = [
        part._replace(
            impacts=part.impacts._replace(
                impacts=(part.impacts.impacts > 0).astype("f")
            )
        )
        for part in found.frequent
    ]
    few = found.sparse and found.sparse._replace(
        impacts=np.ones_like(found.sparse.impacts)
    )
    return QueryImpacts(lone, few)
