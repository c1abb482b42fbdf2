"""The impacts of a segment's terms: all computed at once, or each at its first use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np

from kb.index.engines.field_norms import (
    DocNumbers,
    FieldNorms,
    FloatArray,
    ImpactColumns,
    Postings,
)
from kb.index.engines.impact_cache import CacheReservation, CacheShelf, ImpactCache
from kb.index.engines.pack_builder import compute_prefix_sums, expand_ranges
from kb.index.engines.pack_file import (
    BIGRAM_KIND,
    WORD_KIND,
    IntArray,
    Pack,
    TermKey,
    decode_term,
    encode_term,
)

# A term in more than 1 of 3 documents is stored densely: an impact for every document.
DENSE_TERM_RATIO = 3
FREQUENT_TERM_DOCUMENTS = 1000  # document frequency above which a term is summed alone
WARMED_MEMORY_SHARE = 0.2  # share of the cache's budget for terms computed in advance
WARMED_TERM_DOCUMENTS = 300  # their document frequency at least
WARM_BATCH_TERMS = 64  # terms that are computed in one call
BYTES_PER_POSTING = 10  # of memory, in all groups together
IMPACT_SLICE_POSTINGS = 250_000  # postings that are computed in one call
EMPTY_DOC_NUMBERS, EMPTY_IMPACTS = np.empty(0, np.uint32), np.empty(0, np.float32)


class TermImpacts(NamedTuple):
    """Impacts of one term in one group.

    doc_numbers     [impacts] ascending; None when `impacts` is dense
    impacts         [impacts] float32; dense: [documents of the segment], 0 for most
    document_count  document frequency, deleted documents included
    """

    doc_numbers: DocNumbers | None
    impacts: FloatArray
    document_count: int


class SparseImpacts(NamedTuple):
    """Impacts of the r rows with few documents, one row after another.

    rows         [r] row numbers, as SegmentImpacts counts them
    sizes        [r] impacts of each
    doc_numbers  [sum of sizes] int64, ready to be used as indices
    impacts      [sum of sizes] float32
    """

    rows: IntArray
    sizes: IntArray
    doc_numbers: IntArray
    impacts: FloatArray


class SegmentImpacts(NamedTuple):
    """Impacts of a query's terms in one segment.

    A row is a term in a group, numbered group · terms + term. `frequent` are (row,
    impacts) of rows with more than FREQUENT_TERM_DOCUMENTS documents.
    """

    frequent: list[tuple[int, TermImpacts]]
    sparse: SparseImpacts | None


class ImpactTable(Protocol):
    """Where a segment gets impacts from."""

    def get_impacts(self, terms: Sequence[TermKey]) -> SegmentImpacts:
        """Return the impacts of terms. Raises ValueError on a damaged pack."""


class CompleteImpactTable:
    """All impacts of a segment, so that the first use of a term costs no more.

    Those of term t in group g are `_edges[g, t]:_edges[g, t + 1]`, with `_edges`
    [groups, terms + 1].
    """

    def __init__(
        self, pack: Pack, norms: Sequence[FieldNorms], reservation: CacheReservation
    ) -> None:
        self._pack = pack
        self._reservation = reservation  # its bytes are free again with this table
        columns = [_compute_all_impacts(pack, each) for each in norms]
        starts = compute_prefix_sums([len(each.doc_numbers) for each in columns])[:-1]
        self._edges = np.stack([each.edges for each in columns]) + starts[:, None]
        self._doc_numbers = np.concatenate([each.doc_numbers for each in columns])
        self._impacts = np.concatenate([each.impacts for each in columns])
        is_frequent = np.diff(self._edges) > FREQUENT_TERM_DOCUMENTS
        spans = map(
            slice, self._edges[:, :-1][is_frequent], self._edges[:, 1:][is_frequent]
        )
        self._frequent = {
            int(span.start): _make_term_impacts(
                pack, self._doc_numbers[span], self._impacts[span]
            )
            for span in spans
        }

    def get_impacts(self, terms: Sequence[TermKey]) -> SegmentImpacts:
        at, after = self._pack.find_terms(_encode_keys(terms))
        begins = self._edges.take(at, axis=1).ravel()
        sizes = self._edges.take(after, axis=1).ravel() - begins
        frequent_rows = np.flatnonzero(sizes > FREQUENT_TERM_DOCUMENTS)
        starts = begins.take(frequent_rows).tolist()
        frequent = [
            (row, self._frequent[start])
            for row, start in zip(frequent_rows.tolist(), starts, strict=True)
        ]
        rows = np.flatnonzero((sizes > 0) & (sizes <= FREQUENT_TERM_DOCUMENTS))
        if not len(rows):
            return SegmentImpacts(frequent, None)
        sizes = sizes.take(rows)
        at = expand_ranges(begins.take(rows), sizes)
        doc_numbers = self._doc_numbers.take(at).astype(np.int64)
        return SegmentImpacts(
            frequent, SparseImpacts(rows, sizes, doc_numbers, self._impacts.take(at))
        )


class LazyImpactTable:
    """The impacts of terms that were used, computed at first use and cached."""

    def __init__(
        self, pack: Pack, norms: Sequence[FieldNorms], cache: ImpactCache
    ) -> None:
        self._pack = pack
        self._norms = norms
        self._budget_bytes = cache.budget_bytes
        self._cache_shelf: CacheShelf[tuple[TermImpacts | None, ...]] = CacheShelf(
            cache
        )

    def compute_common_impacts(self) -> None:
        """Compute the impacts of the most common terms, within a share of the budget.

        Nearly every query has some, and they are most of the cost of first uses.
        """
        sizes = np.diff(self._pack.spans)
        order = np.argsort(sizes)[::-1]
        max_postings = WARMED_MEMORY_SHARE * self._budget_bytes / BYTES_PER_POSTING
        common = order[
            (np.cumsum(sizes[order]) < max_postings)
            & (sizes[order] >= WARMED_TERM_DOCUMENTS)
        ]
        terms = [decode_term(self._pack.read_key(term)) for term in common.tolist()]
        for start in range(0, len(terms), WARM_BATCH_TERMS):
            self._get_term_impacts(
                [term for term in terms[start : start + WARM_BATCH_TERMS] if term]
            )

    def get_impacts(self, terms: Sequence[TermKey]) -> SegmentImpacts:
        frequent: list[tuple[int, TermImpacts]] = []
        rows: list[int] = []
        sparse: list[TermImpacts] = []
        for group, column in enumerate(
            zip(*self._get_term_impacts(terms), strict=True)
        ):
            for row, impacts in enumerate(column, group * len(terms)):
                if impacts is None:
                    continue
                if impacts.document_count > FREQUENT_TERM_DOCUMENTS:
                    frequent.append((row, impacts))
                else:
                    rows.append(row)
                    sparse.append(impacts)
        return SegmentImpacts(
            frequent, _concatenate_sparse(rows, sparse) if sparse else None
        )

    def _get_term_impacts(
        self, terms: Sequence[TermKey]
    ) -> list[tuple[TermImpacts | None, ...]]:
        """Return [terms] of [groups] impacts, None in a group without the term."""
        values = self._cache_shelf.get_values(terms)
        if missing := [n for n, value in enumerate(values) if value is None]:
            missing_terms = [terms[n] for n in missing]
            computed = self._compute_missing_impacts(missing_terms)
            sizes = map(_count_impact_bytes, computed)
            self._cache_shelf.store_values(
                zip(missing_terms, computed, sizes, strict=True)
            )
            for n, impacts in zip(missing, computed, strict=True):
                values[n] = impacts
        return [impacts for impacts in values if impacts is not None]

    def _compute_missing_impacts(
        self, terms: list[TermKey]
    ) -> list[tuple[TermImpacts | None, ...]]:
        """Compute impacts, of rare terms in one call: each call of NumPy has a fixed cost."""
        computed: list[tuple[TermImpacts | None, ...]]
        computed = [(None,) * len(self._norms)] * len(terms)
        rare: list[int] = []
        spans = list(map(slice, *self._pack.find_postings(_encode_keys(terms))))
        for number, span in enumerate(spans):
            if span.stop - span.start > FREQUENT_TERM_DOCUMENTS:
                (computed[number],) = self._compute_span_impacts([span])
            elif span.stop > span.start:
                rare.append(number)
        if rare:
            impacts = self._compute_span_impacts([spans[number] for number in rare])
            for number, each in zip(rare, impacts, strict=True):
                computed[number] = each
        return computed

    def _compute_span_impacts(
        self, spans: list[slice]
    ) -> list[tuple[TermImpacts | None, ...]]:
        """Return [spans] of [groups] impacts of the terms with postings at `spans`.

        Each is a copy, so that it keeps neither the others nor the mapped file alive.
        """
        edges = compute_prefix_sums([span.stop - span.start for span in spans])
        postings = Postings.from_spans(self._pack, spans, edges)
        groups = []
        for doc_numbers, impacts, ends in (
            norms.compute_impacts(postings) for norms in self._norms
        ):
            groups.append(
                [
                    _make_term_impacts(
                        self._pack,
                        doc_numbers[begin:end].copy(),
                        impacts[begin:end].copy(),
                    )
                    if end > begin
                    else None
                    for begin, end in pairwise(ends.tolist())
                ]
            )
        return list(zip(*groups, strict=True))


def estimate_table_bytes(
    pack: Pack, norms: Sequence[FieldNorms], max_bytes: float
) -> int:
    """Return the bytes of all impacts of a pack; counting ends above `max_bytes`."""
    sizes = np.diff(pack.spans)
    dense_terms = np.count_nonzero(
        (sizes > FREQUENT_TERM_DOCUMENTS) & (sizes * DENSE_TERM_RATIO > len(pack))
    )
    numbers = len(norms) * (len(pack.spans) + len(pack) * int(dense_terms))
    for start in range(0, len(pack.codes), IMPACT_SLICE_POSTINGS):
        if 8 * numbers > max_bytes:
            break
        codes = pack.codes[start : start + IMPACT_SLICE_POSTINGS]
        numbers += sum(
            int(np.count_nonzero(each.code_mask.take(codes))) for each in norms
        )
    return 8 * numbers


def _encode_keys(terms: Sequence[TermKey]) -> list[bytes]:
    return [
        encode_term(BIGRAM_KIND if pair else WORD_KIND, term) for term, pair in terms
    ]


def _compute_all_impacts(pack: Pack, norms: FieldNorms) -> ImpactColumns:
    """Return the impacts of every term of a pack, computed in slices of postings."""
    parts, spans, begin = [], pack.spans, 0
    while begin < len(spans) - 1:
        end = int(spans.searchsorted(spans[begin] + IMPACT_SLICE_POSTINGS, "right")) - 1
        edges = spans[begin : (end := max(end, begin + 1)) + 1]
        span = slice(int(edges[0]), int(edges[-1]))
        parts.append(
            norms.compute_impacts(Postings.from_spans(pack, [span], edges - edges[0]))
        )
        begin = end
    return ImpactColumns(
        np.concatenate([EMPTY_DOC_NUMBERS, *(part.doc_numbers for part in parts)]),
        np.concatenate([EMPTY_IMPACTS, *(part.impacts for part in parts)]),
        compute_prefix_sums(
            np.concatenate([[], *(np.diff(part.edges) for part in parts)])
        ),
    )


def _concatenate_sparse(rows: list[int], impacts: list[TermImpacts]) -> SparseImpacts:
    doc_numbers, values, sizes = zip(*impacts, strict=True)
    return SparseImpacts(
        np.array(rows),
        np.array(sizes),
        np.concatenate(doc_numbers, dtype=np.int64),
        np.concatenate(values),
    )


def _make_term_impacts(
    pack: Pack, doc_numbers: DocNumbers, impacts: FloatArray
) -> TermImpacts:
    """Return the impacts of one term, stored densely when many documents have it."""
    count = len(doc_numbers)
    if count > FREQUENT_TERM_DOCUMENTS and len(pack) < DENSE_TERM_RATIO * count:
        dense = np.zeros(len(pack), np.float32)
        dense[doc_numbers] = impacts
        return TermImpacts(None, dense, count)
    return TermImpacts(doc_numbers, impacts, count)


def _count_impact_bytes(impacts: Iterable[TermImpacts | None]) -> int:
    """Return the bytes of a term's impacts, with Python's objects around them."""
    size = 250
    for each in impacts:
        if each is not None:
            numbers = 0 if each.doc_numbers is None else each.doc_numbers.nbytes
            size += 350 + numbers + each.impacts.nbytes
    return size
