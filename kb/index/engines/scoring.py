"""BM25F scores of a query over one state of an index, with NumPy, and its best hits."""

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
    100  # label filters whose documents are cached: readers × categories
)
MAX_CACHED_COUNTS = 10_000  # document frequencies cached for each such filter
BLOCKS_PER_HIT = 16  # blocks of documents per wanted hit, to estimate the least score
NO_DOCUMENT_ID = np.iinfo(np.int64).max

LabelFilter = tuple[frozenset[str], ...]


class FilteredDocuments:
    """The documents that fit a label filter: `mask` [documents of the index], and a count."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.document_count = int(np.count_nonzero(mask))
        self.is_unfiltered = self.document_count == len(mask)
        self._cached_counts: dict[tuple[int, FieldGroup, TermKey], int] = {}

    def count_term_documents(
        self, row: FrequentRow, group: FieldGroup, term: TermKey
    ) -> int:
        """Return how many documents of a frequent term fit; counted once and cached."""
        if self.is_unfiltered:
            return row.impacts.document_count
        key = (row.segment.start, group, term)
        if (count := self._cached_counts.get(key)) is None:
            if len(self._cached_counts) >= MAX_CACHED_COUNTS:
                self._cached_counts.clear()
            count = self._cached_counts[key] = count_frequent_documents(row, self.mask)
        return count


class IndexSnapshot:
    """One state of an index: its segments, one after another, and which documents are alive.

    `ids` is [documents] int64, `alive_mask` [documents] bool, False for deleted ones.
    """

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
        impacts = self._get_impacts(query.groups, terms)
        counts = self._count_documents_per_row(query.groups, terms, impacts, fit)
        factors = _compute_factors(query, fit.document_count, counts)
        scores = sum_scores(impacts, factors, self.document_count)
        if not fit.is_unfiltered:
            scores *= fit.mask
        if query.min_match_share:
            matched = self._sum_matched_weights(query, impacts)
            scores *= matched >= query.min_match_weight
        return self._select_best_hits(scores, query.limit)

    def count_documents_per_clause(self, query: Query) -> tuple[int, ...]:
        if not self.document_count or not query.clauses:
            return (0,) * len(query.clauses)
        fit = self._filter_documents(query.labels)
        terms = [(clause.term, clause.is_bigram) for clause in query.clauses]
        impacts = self._get_impacts(query.groups, terms)
        counts = self._count_documents_per_row(query.groups, terms, impacts, fit)
        return tuple(counts[: len(terms)].tolist())

    def match_clauses(self, query: Query, ids: Sequence[int]) -> Mask:
        """Return [ids, clauses] bool; `ids` are a few hundred at most."""
        matches = np.zeros((len(ids), len(query.clauses)), np.bool_)
        if not self.document_count or not query.clauses:
            return matches
        terms = [(clause.term, clause.is_bigram) for clause in query.clauses]
        fit = self._filter_documents(query.labels)
        rows, doc_numbers = self._locate_documents(ids, fit)
        impacts = self._get_impacts(query.groups, terms)
        matches[rows] = find_matching_clauses(
            impacts, doc_numbers, (self.document_count, len(terms))
        )
        return matches

    def _locate_documents(
        self, ids: Sequence[int], fit: FilteredDocuments
    ) -> tuple[IntArray, IntArray]:
        """Return places in `ids` of those that fit, and their document numbers, ascending."""
        wanted = np.array(ids, np.int64)
        alive_numbers, alive_ids = self._alive_by_id
        at = alive_ids.searchsorted(wanted)
        rows = np.flatnonzero(alive_ids.take(at) == wanted)
        doc_numbers = alive_numbers.take(at.take(rows))
        order = doc_numbers.argsort()
        order = order[fit.mask.take(doc_numbers.take(order))]
        return rows.take(order), doc_numbers.take(order)

    @cached_property
    def _alive_by_id(self) -> tuple[IntArray, IntArray]:
        """Numbers [alive] of documents in order of id, and ids [alive + 1], a sentinel last."""
        numbers = np.flatnonzero(self.alive_mask)
        numbers = numbers[self.ids.take(numbers).argsort(kind="stable")]
        return numbers, np.append(self.ids.take(numbers), NO_DOCUMENT_ID)

    def count_documents(self, labels: LabelFilter) -> int:
        return (
            self._filter_documents(labels).document_count if self.document_count else 0
        )

    def locate_by_segment(self, ids: set[int]) -> list[list[int]]:
        """Return for each segment the numbers in it of alive documents with `ids`."""
        wanted = np.isin(self.ids, list(ids)) & self.alive_mask
        return [np.flatnonzero(wanted[segment]).tolist() for segment in self._slices]

    def _get_impacts(
        self, groups: tuple[FieldGroup, ...], terms: list[TermKey]
    ) -> QueryImpacts:
        """Return the impacts of terms; the last are cached, as `match_clauses` follows a search."""
        key, impacts = self._last_impacts
        if key != (groups, terms):
            parts = (segment.get_impacts(groups, terms) for segment in self.segments)
            impacts = gather_impacts(zip(self._slices, parts, strict=True))
            self._last_impacts = (groups, terms), impacts
        return impacts

    def _count_documents_per_row(
        self,
        groups: tuple[FieldGroup, ...],
        terms: list[TermKey],
        impacts: QueryImpacts,
        fit: FilteredDocuments,
    ) -> IntArray:
        """Return [groups · terms] document frequencies among the fitting documents."""
        counts = np.zeros(len(groups) * len(terms), np.int64)
        for frequent in impacts.frequent:
            group, number = divmod(frequent.row, len(terms))
            counts[frequent.row] += fit.count_term_documents(
                frequent, groups[group], terms[number]
            )
        if sparse := impacts.sparse:
            sizes = (
                sparse.sizes
                if fit.is_unfiltered
                else count_sparse_documents(sparse, fit.mask)
            )
            np.add.at(counts, sparse.rows, sizes)
        return counts

    def _sum_matched_weights(self, query: Query, impacts: QueryImpacts) -> FloatArray:
        """Return [documents] the sum of weights of clauses matched in the first group."""
        weights = np.zeros((len(query.groups), len(query.clauses)), np.float32)
        weights[0] = [clause.weight for clause in query.clauses]
        return sum_scores(
            flatten_impacts(impacts), weights.ravel(), self.document_count
        )

    def _filter_documents(self, labels: LabelFilter) -> FilteredDocuments:
        """Return the alive documents with a label of each set of `labels`, cached."""
        if (cached := self._cached_filters.get(labels)) is not None:
            return cached
        mask = self.alive_mask.copy()
        for alternatives in labels:
            masks = [self._get_label_mask(label) for label in alternatives]
            mask &= np.logical_or.reduce(masks) if masks else False
        fit = FilteredDocuments(mask)
        if len(self._cached_filters) >= MAX_CACHED_FILTERS:
            self._cached_filters.clear()
        self._cached_filters[labels] = fit
        return fit

    def _get_label_mask(self, label: str) -> Mask:
        return np.concatenate([s.get_label_mask(label) for s in self.segments])

    def _select_best_hits(self, scores: FloatArray, limit: int) -> EngineHits:
        """Return the best of `scores` [documents], 0 for no hit; ties in order of id."""
        is_hit = scores > 0
        total = int(np.count_nonzero(is_hit))
        if total > limit and (floor := _estimate_score_floor(scores, limit)) > 0:
            is_hit = scores >= floor
        at = np.flatnonzero(is_hit)
        if len(at) > limit:
            # Keep all that tie with the last one, so that ids decide between them.
            last = np.partition(scores[at], len(at) - limit)[len(at) - limit]
            at = at[scores[at] >= last]
        best = at[np.lexsort((self.ids[at], -scores[at]))[:limit]]
        return EngineHits(
            tuple(self.ids[best].tolist()), tuple(scores[best].tolist()), total
        )


def _compute_factors(query: Query, documents: int, counts: IntArray) -> FloatArray:
    """Return [groups · terms] float32: weight · boost · idf, as EngineHits defines."""
    weights = np.array([clause.weight for clause in query.clauses])
    groups = np.array([[group.boost] for group in query.groups])
    idfs = compute_idfs(documents, counts)
    factors: FloatArray = ((groups * weights).ravel() * idfs).astype("f")
    return factors


def _estimate_score_floor(scores: FloatArray, limit: int) -> float:
    """Return a score that at least `limit` documents reach, or 0 without an estimate.

    The best of each block is a different document, so the limit-th best of those is
    at most the limit-th best of all.
    """
    size = max(len(scores) // (BLOCKS_PER_HIT * limit), 1)
    rows = len(scores) // size
    if rows < limit:
        return 0.0
    best = scores[: size * rows].reshape(size, rows).max(axis=0)
    return float(np.partition(best, rows - limit)[rows - limit])
