"""Make packs: of documents, and one of many; whole arrays at a time."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kb.index.engines.base import INDEX_FIELDS, Document, Mask
from kb.index.engines.pack_file import (
    ARRAY_DTYPES,
    BIGRAM_KIND,
    DIGEST_BYTES,
    LABEL_KIND,
    LABELS_FIELD,
    POSTING_ARRAYS,
    SAME_DOCUMENT_FLAG,
    WORD_KIND,
    IntArray,
    Pack,
    PackWriter,
    encode_term,
    get_term_kind,
    hash_keys,
)

CODED_FIELDS = (
    *INDEX_FIELDS,
    LABELS_FIELD,
)  # fields by the number that stands for them in a pack
MAX_BUFFERED_TOKENS = 2_000_000  # in memory before a pack is written, some 80 MB
MAX_PACK_DOCUMENTS = 1 << 24  # in one pack, so that a posting sorts as one number
MAX_POSTING_COUNT = 255
MERGE_SLICE_POSTINGS = 1_000_000  # postings that are merged at a time


class PackBuilder:
    """Collects documents, then writes them as one pack."""

    def __init__(self) -> None:
        self.document_count = 0
        self._ids = array("q")
        self._digests = bytearray()
        self._tokens = array("I")
        self._runs = [array("I"), array("B"), array("I")]  # place, field, how long
        numbers = count()
        self._kinds: dict[str, defaultdict[str, int]] = {}
        for kind in (WORD_KIND, BIGRAM_KIND, LABEL_KIND):
            self._kinds[kind] = defaultdict(numbers.__next__)
        self._numbers = {
            field: self._kinds[get_term_kind(field)] for field in CODED_FIELDS
        }

    @property
    def is_full(self) -> bool:
        return (
            len(self._tokens) >= MAX_BUFFERED_TOKENS
            or self.document_count == MAX_PACK_DOCUMENTS
        )

    def add_document(self, document: Document) -> None:
        for code, field in enumerate(CODED_FIELDS):
            terms = (
                document.labels if field == LABELS_FIELD else document.terms.get(field)
            )
            if terms:
                self._tokens.extend(map(self._numbers[field].__getitem__, terms))
                for column, value in zip(
                    self._runs, (self.document_count, code, len(terms)), strict=True
                ):
                    column.append(value)
        self._ids.append(document.id)
        self._digests += bytes.fromhex(document.digest)
        self.document_count += 1

    def write_pack(self, path: Path) -> None:
        """Write all documents; raises OSError."""
        keys, hashes, ranks = self._build_dictionary()
        terms, docs, codes, counts = self._build_postings(ranks)
        arrays: dict[str, npt.NDArray[Any]] = {
            "ids": np.array(self._ids, np.int64),
            "digests": np.frombuffer(self._digests, np.uint8).reshape(-1, DIGEST_BYTES),
            "lengths": self._build_lengths(),
            "hashes": hashes,
            "spans": compute_prefix_sums(np.bincount(terms, minlength=len(keys))),
            "cuts": compute_prefix_sums([len(key) for key in keys]),
            "letters": np.frombuffer(b"".join(keys), np.uint8),
            "docs": docs,
            "codes": codes,
            "counts": counts,
        }
        with PackWriter(
            path, CODED_FIELDS, {n: a.shape for n, a in arrays.items()}
        ) as pack:
            for name, whole in arrays.items():
                pack.write_part(name, whole)

    def _build_dictionary(self) -> tuple[list[bytes], npt.NDArray[np.uint64], IntArray]:
        """Return keys and hashes in order of hashes, and the rank of each number."""
        unordered = [b""] * sum(map(len, self._kinds.values()))
        for kind, numbers in self._kinds.items():
            for term, number in numbers.items():
                unordered[number] = encode_term(kind, term)
        hashes = hash_keys(unordered)
        order = np.argsort(hashes)
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        return [unordered[n] for n in order.tolist()], hashes[order], ranks

    def _build_postings(
        self, ranks: IntArray
    ) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """Return terms, places, fields and counts, in order of the first three."""
        places, codes, sizes = (np.array(column, np.int64) for column in self._runs)
        # term, place and field in one number: sorting numbers is fast.
        tokens = ranks[np.array(self._tokens, np.int64)] << 32
        tokens |= np.repeat(places << 8 | codes, sizes)
        tokens.sort()
        new = np.flatnonzero(np.diff(tokens, prepend=-1))
        counts = np.diff(new, append=len(tokens))
        records = (counts - 1) // MAX_POSTING_COUNT + 1
        if records.max(initial=1) > 1:  # all but the last one of a posting are full
            rest = counts - (records - 1) * MAX_POSTING_COUNT
            last = np.cumsum(records) - 1
            counts = np.full(records.sum(), MAX_POSTING_COUNT)
            counts[last] = rest
            new = np.repeat(new, records)
        tokens = tokens[new]
        codes = tokens & 255
        codes[1:][np.diff(tokens >> 8) == 0] |= SAME_DOCUMENT_FLAG
        return tokens >> 32, tokens >> 8 & (MAX_PACK_DOCUMENTS - 1), codes, counts

    def _build_lengths(self) -> npt.NDArray[np.uint32]:
        lengths = np.zeros((len(CODED_FIELDS), self.document_count), np.uint32)
        places, codes, sizes = self._runs
        lengths[np.array(codes), np.array(places)] = sizes
        return lengths


class MergePart(NamedTuple):
    """A pack and which of its documents are to stay."""

    pack: Pack
    alive_mask: Mask


def merge_packs(path: Path, parts: Sequence[MergePart]) -> int:
    """Write the living documents of all parts as one pack; return how many.

    Postings pass through memory SLICE at a time. Raises OSError, and ValueError
    when a part is damaged or of other fields.
    """
    if any(part.pack.fields != CODED_FIELDS for part in parts):
        raise ValueError("packs of other fields")
    return _PackMerger(parts).write_merged_pack(path)


class _PackMerger:
    """Parts, and where what they hold goes.

    `ranks` are places of a part's terms in the new dictionary, ascending, and
    `places` those of its documents in the new row, of no meaning for the dead.
    """

    def __init__(self, parts: Sequence[MergePart]) -> None:
        self.parts = parts
        hashes = np.unique(np.concatenate([part.pack.hashes for part in parts]))
        ranks = [np.searchsorted(hashes, part.pack.hashes) for part in parts]
        sizes = np.zeros(len(hashes), np.int64)
        for part, rank in zip(parts, ranks, strict=True):
            sizes[rank] += _count_living_postings(part)
        held = sizes > 0  # terms of nothing but the dead are left behind
        moved = np.maximum(np.cumsum(held) - 1, 0)
        self.ranks = [moved[rank] for rank in ranks]
        self.hashes, self.spans = hashes[held], compute_prefix_sums(sizes[held])
        self.owner, self.source, lengths = np.zeros((3, len(self.hashes)), np.int64)
        for number, (part, rank) in enumerate(zip(parts, ranks, strict=True)):
            stays = held[rank]
            at = moved[rank[stays]]
            self.owner[at], self.source[at] = number, np.flatnonzero(stays)
            lengths[at] = np.diff(part.pack.cuts)[stays]
        self.cuts = compute_prefix_sums(lengths)
        living = [int(np.count_nonzero(part.alive_mask)) for part in parts]
        self.document_count = sum(living)
        self.doc_numbers = [
            np.cumsum(part.alive_mask) - 1 + before
            for part, before in zip(
                parts, compute_prefix_sums(living).tolist(), strict=False
            )
        ]

    def write_merged_pack(self, path: Path) -> int:
        shapes: dict[str, Sequence[int]] = {
            "ids": (self.document_count,),
            "digests": (self.document_count, DIGEST_BYTES),
            "lengths": (len(CODED_FIELDS), self.document_count),
            "hashes": self.hashes.shape,
            "spans": self.spans.shape,
            "cuts": self.cuts.shape,
            "letters": (self.cuts[-1],),
            **dict.fromkeys(POSTING_ARRAYS, (self.spans[-1],)),
        }
        with PackWriter(path, CODED_FIELDS, shapes) as pack:
            for pack_, alive in self.parts:
                pack.write_part("ids", pack_.ids[alive])
                pack.write_part("digests", pack_.digests[alive])
            for code in range(len(CODED_FIELDS)):
                for pack_, alive in self.parts:
                    pack.write_part("lengths", pack_.lengths[code, alive])
            for name in ("hashes", "spans", "cuts"):
                pack.write_part(name, getattr(self, name))
            for first, last in self._iterate_term_ranges():
                pack.write_part("letters", self._merge_letters(first, last))
                for name, column in self._merge_postings(first, last).items():
                    pack.write_part(name, column)
                for pack_, _ in self.parts:
                    pack_.release_pages()
        return self.document_count

    def _iterate_term_ranges(self) -> Iterator[tuple[int, int]]:
        """Yield ranges of terms that have about SLICE postings together."""
        marks = np.arange(0, self.spans[-1], MERGE_SLICE_POSTINGS)
        edges = np.unique([*np.searchsorted(self.spans[:-1], marks), len(self.hashes)])
        yield from pairwise(edges.tolist())

    def _merge_letters(self, first: int, last: int) -> npt.NDArray[np.uint8]:
        start = self.cuts[first]
        letters = np.empty(self.cuts[last] - start, np.uint8)
        for number, (pack, _) in enumerate(self.parts):
            mine = np.flatnonzero(self.owner[first:last] == number) + first
            source = self.source[mine]
            sizes = self.cuts[mine + 1] - self.cuts[mine]
            letters[expand_ranges(self.cuts[mine] - start, sizes)] = pack.letters[
                expand_ranges(pack.cuts[source], sizes)
            ]
        return letters

    def _merge_postings(self, first: int, last: int) -> dict[str, npt.NDArray[Any]]:
        """Return the postings of a range of terms: by term, and in it by part."""
        size = self.spans[last] - self.spans[first]
        merged = {name: np.empty(size, ARRAY_DTYPES[name]) for name in POSTING_ARRAYS}
        free = self.spans[first:last] - self.spans[first]
        for (pack, alive), rank, places in zip(
            self.parts, self.ranks, self.doc_numbers, strict=True
        ):
            begin, end = np.searchsorted(rank, (first, last))
            edges = pack.spans[begin : end + 1]
            stays = alive[docs := pack.docs[edges[0] : edges[-1]]]
            terms = np.repeat(rank[begin:end] - first, np.diff(edges))[stays]
            sizes = np.bincount(terms, minlength=last - first)
            to = (free - compute_prefix_sums(sizes)[:-1])[terms] + np.arange(len(terms))
            free += sizes
            merged["docs"][to] = places[docs[stays]]
            merged["codes"][to] = pack.codes[edges[0] : edges[-1]][stays]
            merged["counts"][to] = pack.counts[edges[0] : edges[-1]][stays]
        return merged


def _count_living_postings(part: MergePart) -> IntArray:
    """Return how many postings of living documents each term has."""
    if part.alive_mask.all():
        return np.diff(part.pack.spans)
    return np.diff(
        compute_prefix_sums(part.alive_mask[part.pack.docs])[part.pack.spans]
    )


def compute_prefix_sums(numbers: npt.ArrayLike) -> IntArray:
    """Return the sums of what stands before each number, and of all at the end."""
    return np.concatenate([[0], np.cumsum(numbers, dtype=np.int64)])


def expand_ranges(starts: IntArray, sizes: IntArray) -> IntArray:
    """Return start, start + 1 … of each run of `sizes`, one after another."""
    before = compute_prefix_sums(sizes)
    return np.repeat(starts - before[:-1], sizes) + np.arange(before[-1])
