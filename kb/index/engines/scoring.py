"""Score BM25F with NumPy: add up what terms are worth, cut, and sort the best."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from kb.index.engines.base import EngineHits, FieldGroup, Mask, Query, compute_idfs
from kb.index.engines.field_norms import FloatArray
from kb.index.engines.pack_file import IntArray, TermKey
from kb.index.engines.query_impacts import (
    FrequentRow,
    QueryImpacts,
    count_frequent_documents,
    count_sparse_documents,
    find_matching_clauses,
    flatten_impacts,
    gather_impacts,
    sum_scores,
)
from kb.index.engines.segments import Segment

MAX_CACHED_FILTERS = (
    100  # sets of labels whose documents are kept: readers × categories
)
MAX_CACHED_COUNTS = 10_000  # common terms counted among the documents of one such set
BLOCKS_PER_HIT = (
    16  # blocks of documents for each hit that is wanted, when the best are cut
)
NO_DOCUMENT_ID = np.iinfo(np.int64).max

LabelFilter = tuple[frozenset[str], ...]


class FilteredDocuments:
    """The documents that may be found: which, and how many."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.document_count = int(np.count_nonzero(mask))
        self.is_unfiltered = self.document_count == len(mask)
        self._cached_counts: dict[tuple[int, FieldGroup, TermKey], int] = {}

    def count_term_documents(
        self, lone: FrequentRow, group: FieldGroup, term: TermKey
    ) -> int:
        """Return how many of a term's documents fit; they are many, and counted once."""
        if self.is_unfiltered:
            return lone.impacts.document_count
        key = (lone.segment.start, group, term)
        if (count := self._cached_counts.get(key)) is None:
            if len(self._cached_counts) >= MAX_CACHED_COUNTS:
                self._cached_counts.clear()
            count = self._cached_counts[key] = count_frequent_documents(lone, self.mask)
        return count


class IndexSnapshot:
    """One generation of an index: segments in a row, and which documents live."""

    def __init__(self, segments: list[Segment], alive: Mask) -> None:
        self.segments = segments
        self.alive_mask = alive
        self.ids = np.concatenate([np.empty(0, np.int64), *(s.ids for s in segments)])
        self.document_count = len(self.ids)
        ends = np.cumsum([0, *(len(s.ids) for s in segments)]).tolist()
        self._slices = [slice(*edges) for edges in pairwise(ends)]
        self._cached_filters: dict[LabelFilter, FilteredDocuments] = {}
        self._last_impacts: tuple[
            tuple[tuple[FieldGroup, ...], list[TermKey]], QueryImpacts
        ]
        self._last_impacts = ((), []), QueryImpacts([], None)
        names = {name for segment in segments for name in segment.token_totals}
        averages = {
            name: sum(s.token_totals[name] for s in segments)
            / max(self.document_count, 1)
            for name in names
        }
        for segment in segments:
            segment.update_averages(averages)

    def search_documents(self, query: Query) -> EngineHits:
        if not self.document_count or not query.clauses:
            return EngineHits()
        fit = self._filter_documents(query.labels)
        terms = [(clause.term, clause.is_bigram) for clause in query.clauses]
        found = self._get_impacts(query.groups, terms)
        counts = self._count_documents_per_row(query.groups, terms, found, fit)
        factors = _compute_factors(query, fit.document_count, counts)
        scores = sum_scores(found, factors, self.document_count)
        if not fit.is_unfiltered:
            scores *= fit.mask
        if query.min_match_share:
            scores *= self._sum_matched_weights(query, found) >= query.min_match_weight
        return self._select_best_hits(scores, query.limit)

    def count_documents_per_clause(self, query: Query) -> tuple[int, ...]:
        if not self.document_count or not query.clauses:
            return (0,) * len(query.clauses)
        fit = self._filter_documents(query.labels)
        terms = [(clause.term, clause.is_bigram) for clause in query.clauses]
        found = self._get_impacts(query.groups, terms)
        counts = self._count_documents_per_row(query.groups, terms, found, fit)
        return tuple(counts[: len(terms)].tolist())

    def match_clauses(self, query: Query, ids: Sequence[int]) -> Mask:
        """Return which of `ids`, a few hundred at most, match which clauses."""
        matches = np.zeros((len(ids), len(query.clauses)), np.bool_)
        if not self.document_count or not query.clauses:
            return matches
        terms = [(clause.term, clause.is_bigram) for clause in query.clauses]
        rows, near = self._locate_documents(ids, self._filter_documents(query.labels))
        found = self._get_impacts(query.groups, terms)
        matches[rows] = find_matching_clauses(
            found, near, (self.document_count, len(terms))
        )
        return matches

    def _locate_documents(
        self, ids: Sequence[int], fit: FilteredDocuments
    ) -> tuple[IntArray, IntArray]:
        """Return which of `ids` fit, and their places among all documents, ascending."""
        asked = np.array(ids, np.int64)
        living, known = self._living_by_id
        at = known.searchsorted(asked)
        rows = np.flatnonzero(known.take(at) == asked)
        places = living.take(at.take(rows))
        order = places.argsort()
        order = order[fit.mask.take(places.take(order))]
        return rows.take(order), places.take(order)

    @cached_property
    def _living_by_id(self) -> tuple[IntArray, IntArray]:
        """The places of living documents in order of id, and the ids; one more ends it."""
        living = np.flatnonzero(self.alive_mask)
        living = living[self.ids.take(living).argsort(kind="stable")]
        return living, np.append(self.ids.take(living), NO_DOCUMENT_ID)

    def count_documents(self, labels: LabelFilter) -> int:
        return (
            self._filter_documents(labels).document_count if self.document_count else 0
        )

    def locate_by_segment(self, ids: set[int]) -> list[list[int]]:
        """Return where the living documents of `ids` stand in each segment."""
        wanted = np.isin(self.ids, list(ids)) & self.alive_mask
        return [np.flatnonzero(wanted[segment]).tolist() for segment in self._slices]

    def _get_impacts(
        self, groups: tuple[FieldGroup, ...], terms: list[TermKey]
    ) -> QueryImpacts:
        """Return the impacts of terms; whoever searches soon asks what matched."""
        asked, found = self._last_impacts
        if asked != (groups, terms):
            found = self._gather_segment_impacts(groups, terms)
            self._last_impacts = (groups, terms), found
        return found

    def _gather_segment_impacts(
        self, groups: tuple[FieldGroup, ...], terms: list[TermKey]
    ) -> QueryImpacts:
        found = (segment.get_impacts(groups, terms) for segment in self.segments)
        return gather_impacts(zip(self._slices, found, strict=True))

    def _count_documents_per_row(
        self,
        groups: tuple[FieldGroup, ...],
        terms: list[TermKey],
        found: QueryImpacts,
        fit: FilteredDocuments,
    ) -> IntArray:
        """Return how many fitting documents hold each row."""
        counts = np.zeros(len(groups) * len(terms), np.int64)
        for lone in found.frequent:
            group, number = divmod(lone.row, len(terms))
            counts[lone.row] += fit.count_term_documents(
                lone, groups[group], terms[number]
            )
        if few := found.sparse:
            held = (
                few.sizes
                if fit.is_unfiltered
                else count_sparse_documents(few, fit.mask)
            )
            np.add.at(counts, few.rows, held)
        return counts

    def _sum_matched_weights(self, query: Query, found: QueryImpacts) -> FloatArray:
        """Return the weight of the clauses that each document matches."""
        weights = np.zeros((len(query.groups), len(query.clauses)), np.float32)
        weights[0] = [clause.weight for clause in query.clauses]
        return sum_scores(flatten_impacts(found), weights.ravel(), self.document_count)

    def _filter_documents(self, groups: LabelFilter) -> FilteredDocuments:
        """Return the living documents with a label of each group, computed once."""
        if (known := self._cached_filters.get(groups)) is not None:
            return known
        mask = self.alive_mask.copy()
        for group in groups:
            either = [self._get_label_mask(label) for label in group]
            mask &= np.logical_or.reduce(either) if either else False
        fit = FilteredDocuments(mask)
        if len(self._cached_filters) >= MAX_CACHED_FILTERS:
            self._cached_filters.clear()
        self._cached_filters[groups] = fit
        return fit

    def _get_label_mask(self, label: str) -> Mask:
        return np.concatenate([s.get_label_mask(label) for s in self.segments])

    def _select_best_hits(self, scores: FloatArray, limit: int) -> EngineHits:
        total = int(np.count_nonzero(found := scores > 0))
        if total > limit and (floor := _estimate_score_floor(scores, limit)) > 0:
            found = scores >= floor
        at = np.flatnonzero(found)
        if len(at) > limit:
            # All that tie with the last one stay, so that ids decide, not chance.
            last = np.partition(scores[at], len(at) - limit)[len(at) - limit]
            at = at[scores[at] >= last]
        best = at[np.lexsort((self.ids[at], -scores[at]))[:limit]]
        return EngineHits(
            tuple(self.ids[best].tolist()), tuple(scores[best].tolist()), total
        )


def _compute_factors(query: Query, documents: int, counts: IntArray) -> FloatArray:
    """Return what impacts are multiplied by, one a row; see Hits."""
    weights = np.array([clause.weight for clause in query.clauses])
    groups = np.array([[group.boost] for group in query.groups])
    rarity = compute_idfs(documents, counts)
    factors: FloatArray = ((groups * weights).ravel() * rarity).astype("f")
    return factors


def _estimate_score_floor(scores: FloatArray, limit: int) -> float:
    """Return a score that at least `limit` documents reach, or zero.

    The best of each block is a document of its own, so that the limit-th best
    of them is no better than the limit-th best of all.
    """
    size = max(len(scores) // (BLOCKS_PER_HIT * limit), 1)
    rows = len(scores) // size
    if rows < limit:
        return 0.0
    best = scores[: size * rows].reshape(size, rows).max(axis=0)
    return float(np.partition(best, rows - limit)[rows - limit])
