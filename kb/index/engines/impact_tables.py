"""What terms are worth in a segment: computed all at once, or as they are asked for."""

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

DENSE_TERM_RATIO = (
    3  # a term that more than every 3rd document holds has an impact for each
)
FREQUENT_TERM_DOCUMENTS = 1000  # documents from which on a term is added up on its own
WARMED_MEMORY_SHARE = 0.2  # share of the memory that common terms may take, by groups
WARMED_TERM_DOCUMENTS = 300  # documents that hold a common term
WARM_BATCH_TERMS = 64  # common terms that are computed at a time
BYTES_PER_POSTING = 10  # that a posting takes, in all groups
IMPACT_SLICE_POSTINGS = 250_000  # postings that are computed at a time, where all are
EMPTY_DOC_NUMBERS, EMPTY_IMPACTS = np.empty(0, np.uint32), np.empty(0, np.float32)


class TermImpacts(NamedTuple):
    """What a term is worth in the documents that hold it in a group.

    `places` of documents ascend; None says that `worth` has one for every
    document of the segment, zero for most. `holds` counts the documents, the
    dead too.
    """

    doc_numbers: DocNumbers | None
    impacts: FloatArray
    document_count: int


class SparseImpacts(NamedTuple):
    """Impacts of rows that few documents hold, one after another."""

    rows: IntArray  # whose they are; there may be none
    sizes: IntArray  # how many impacts each has
    doc_numbers: IntArray  # of documents, ready to be indices
    impacts: FloatArray


class SegmentImpacts(NamedTuple):
    """What a query's terms are worth in one segment.

    A row is a term in a group: those in the first group come first. `lone` are
    rows that many documents hold.
    """

    frequent: list[tuple[int, TermImpacts]]
    sparse: SparseImpacts | None


class ImpactTable(Protocol):
    def get_impacts(self, terms: Sequence[TermKey]) -> SegmentImpacts:
        """Return what each term is worth. Raises ValueError on a damaged pack."""


class CompleteImpactTable:
    """All impacts of a segment, so that no term costs more at its first use.

    Of term t in group g they stand in `edges[g, t]:edges[g, t + 1]`.
    """

    def __init__(
        self, pack: Pack, gains: Sequence[FieldNorms], room: CacheReservation
    ) -> None:
        self._pack = pack
        self._reservation = room  # given back with the table
        made = [_compute_all_impacts(pack, each) for each in gains]
        starts = compute_prefix_sums([len(worth.doc_numbers) for worth in made])[:-1]
        self._edges = np.stack([w.edges for w in made]) + starts[:, None]
        self._doc_numbers = np.concatenate([worth.doc_numbers for worth in made])
        self._impacts = np.concatenate([worth.impacts for worth in made])
        many = np.diff(self._edges) > FREQUENT_TERM_DOCUMENTS
        spans = map(slice, self._edges[:, :-1][many], self._edges[:, 1:][many])
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
        many = np.flatnonzero(sizes > FREQUENT_TERM_DOCUMENTS)
        starts = begins.take(many).tolist()
        lone = [
            (n, self._frequent[s]) for n, s in zip(many.tolist(), starts, strict=True)
        ]
        rows = np.flatnonzero((sizes > 0) & (sizes <= FREQUENT_TERM_DOCUMENTS))
        if not len(rows):
            return SegmentImpacts(lone, None)
        sizes = sizes.take(rows)
        every = expand_ranges(begins.take(rows), sizes)
        places = self._doc_numbers.take(every).astype(np.int64)
        return SegmentImpacts(
            lone, SparseImpacts(rows, sizes, places, self._impacts.take(every))
        )


class LazyImpactTable:
    """The impacts of terms that were asked for, computed at their first use and kept."""

    def __init__(
        self, pack: Pack, gains: Sequence[FieldNorms], cache: ImpactCache
    ) -> None:
        self._pack = pack
        self._norms = gains
        self._budget_bytes = cache.budget_bytes
        self._cache_shelf: CacheShelf[tuple[TermImpacts | None, ...]] = CacheShelf(
            cache
        )

    def compute_common_impacts(self) -> None:
        """Compute the impacts of the most common terms, as far as a share of memory.

        They are in nearly every query, and most of what a first use would cost.
        """
        sizes = np.diff(self._pack.spans)
        order = np.argsort(sizes)[::-1]
        most = WARMED_MEMORY_SHARE * self._budget_bytes / BYTES_PER_POSTING
        common = order[
            (np.cumsum(sizes[order]) < most) & (sizes[order] >= WARMED_TERM_DOCUMENTS)
        ]
        terms = [decode_term(self._pack.read_key(term)) for term in common.tolist()]
        for start in range(0, len(terms), WARM_BATCH_TERMS):
            self._get_term_impacts(
                [term for term in terms[start : start + WARM_BATCH_TERMS] if term]
            )

    def get_impacts(self, terms: Sequence[TermKey]) -> SegmentImpacts:
        lone: list[tuple[int, TermImpacts]] = []
        rows: list[int] = []
        few: list[TermImpacts] = []
        for group, column in enumerate(
            zip(*self._get_term_impacts(terms), strict=True)
        ):
            for row, impacts in enumerate(column, group * len(terms)):
                if impacts is None:
                    continue
                if impacts.document_count > FREQUENT_TERM_DOCUMENTS:
                    lone.append((row, impacts))
                else:
                    rows.append(row)
                    few.append(impacts)
        return SegmentImpacts(lone, _concatenate_sparse(rows, few) if few else None)

    def _get_term_impacts(
        self, terms: Sequence[TermKey]
    ) -> list[tuple[TermImpacts | None, ...]]:
        """Return the impacts of each term, by group."""
        found = self._cache_shelf.get_values(terms)
        if missing := [n for n, known in enumerate(found) if known is None]:
            asked = [terms[n] for n in missing]
            computed = self._compute_missing_impacts(asked)
            self._cache_shelf.store_values(
                zip(asked, computed, map(_count_impact_bytes, computed), strict=True)
            )
            for n, impacts in zip(missing, computed, strict=True):
                found[n] = impacts
        return [impacts for impacts in found if impacts is not None]

    def _compute_missing_impacts(
        self, terms: list[TermKey]
    ) -> list[tuple[TermImpacts | None, ...]]:
        """Compute impacts: of rare terms together, as calls of NumPy have their price."""
        found: list[tuple[TermImpacts | None, ...]]
        found = [(None,) * len(self._norms)] * len(terms)
        rare: list[int] = []
        spans = list(map(slice, *self._pack.find_postings(_encode_keys(terms))))
        for number, span in enumerate(spans):
            if span.stop - span.start > FREQUENT_TERM_DOCUMENTS:
                (found[number],) = self._compute_span_impacts([span])
            elif span.stop > span.start:
                rare.append(number)
        if rare:
            impacts = self._compute_span_impacts([spans[number] for number in rare])
            for number, each in zip(rare, impacts, strict=True):
                found[number] = each
        return found

    def _compute_span_impacts(
        self, spans: list[slice]
    ) -> list[tuple[TermImpacts | None, ...]]:
        """Return the impacts of the terms whose postings stand in `spans`.

        Each is a copy, which keeps neither the others nor the mapped file.
        """
        edges = compute_prefix_sums([span.stop - span.start for span in spans])
        postings = Postings.from_spans(self._pack, spans, edges)
        groups = []
        for places, worth, ends in (
            gains.compute_impacts(postings) for gains in self._norms
        ):
            groups.append(
                [
                    _make_term_impacts(
                        self._pack, places[begin:end].copy(), worth[begin:end].copy()
                    )
                    if end > begin
                    else None
                    for begin, end in pairwise(ends.tolist())
                ]
            )
        return list(zip(*groups, strict=True))


def estimate_table_bytes(pack: Pack, gains: Sequence[FieldNorms], most: float) -> int:
    """Return how many bytes the impacts of a whole pack take, counted up to `most`."""
    sizes = np.diff(pack.spans)
    crowded = np.count_nonzero(
        (sizes > FREQUENT_TERM_DOCUMENTS) & (sizes * DENSE_TERM_RATIO > len(pack))
    )
    held = len(gains) * (len(pack.spans) + len(pack) * int(crowded))
    for start in range(0, len(pack.codes), IMPACT_SLICE_POSTINGS):
        if 8 * held > most:
            break
        codes = pack.codes[start : start + IMPACT_SLICE_POSTINGS]
        held += sum(int(np.count_nonzero(each.code_mask.take(codes))) for each in gains)
    return 8 * held


def _encode_keys(terms: Sequence[TermKey]) -> list[bytes]:
    return [
        encode_term(BIGRAM_KIND if pair else WORD_KIND, term) for term, pair in terms
    ]


def _compute_all_impacts(pack: Pack, gains: FieldNorms) -> ImpactColumns:
    """Return what every term of a pack is worth, computed in parts."""
    parts, spans, begin = [], pack.spans, 0
    while begin < len(spans) - 1:
        end = int(spans.searchsorted(spans[begin] + IMPACT_SLICE_POSTINGS, "right")) - 1
        edges = spans[begin : (end := max(end, begin + 1)) + 1]
        span = slice(int(edges[0]), int(edges[-1]))
        parts.append(
            gains.compute_impacts(Postings.from_spans(pack, [span], edges - edges[0]))
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
    places, worth, sizes = zip(*impacts, strict=True)
    return SparseImpacts(
        np.array(rows),
        np.array(sizes),
        np.concatenate(places, dtype=np.int64),
        np.concatenate(worth),
    )


def _make_term_impacts(
    pack: Pack, places: DocNumbers, worth: FloatArray
) -> TermImpacts:
    holds = len(places)
    if holds > FREQUENT_TERM_DOCUMENTS and len(pack) < DENSE_TERM_RATIO * holds:
        whole = np.zeros(len(pack), np.float32)
        whole[places] = worth
        return TermImpacts(None, whole, holds)
    return TermImpacts(places, worth, holds)


def _count_impact_bytes(impacts: Iterable[TermImpacts | None]) -> int:
    """Return the bytes that impacts take, their key and dict too."""
    size = 250
    for each in impacts:
        if each is not None:
            places = 0 if each.doc_numbers is None else each.doc_numbers.nbytes
            size += 350 + places + each.impacts.nbytes
    return size
