"""Write packs: from documents, and by merging several; on whole arrays."""

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
)  # a field's code in a pack is its place here
MAX_BUFFERED_TOKENS = 2_000_000  # before a pack is written: some 80 MB of memory
MAX_PACK_DOCUMENTS = 1 << 24  # so that a posting sorts as one 64-bit number
MAX_POSTING_COUNT = 255  # frequency that one posting can store
MERGE_SLICE_POSTINGS = 1_000_000  # postings that are in memory at a time in a merge


class PackBuilder:
    """Collects documents in memory, then writes them as one pack."""

    def __init__(self) -> None:
        self.document_count = 0
        self._ids = array("q")
        self._digests = bytearray()
        self._tokens = array("I")
        self._runs = [array("I"), array("B"), array("I")]  # document, field code, terms
        numbers = count()
        self._kinds: dict[str, defaultdict[str, int]] = {}
        for kind in (WORD_KIND, BIGRAM_KIND, LABEL_KIND):
            self._kinds[kind] = defaultdict(numbers.__next__)
        self._numbers = {
            field: self._kinds[get_term_kind(field)] for field in CODED_FIELDS
        }

    @property
    def is_full(self) -> bool:
        """Whether the documents should be written before another is added."""
        return (
            len(self._tokens) >= MAX_BUFFERED_TOKENS
            or self.document_count == MAX_PACK_DOCUMENTS
        )

    def add_document(self, document: Document) -> None:
        """Add the document that gets the next number."""
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
        """Write all documents to `path`. Raises OSError."""
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
        """Return keys [t] and hashes [t] in order of hashes, and ranks [t] of term numbers."""
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
        """Return [p] term ranks, documents, codes and counts, in order of the first three."""
        docs, codes, sizes = (np.array(column, np.int64) for column in self._runs)
        # Term, document and code in one number: numbers sort fast.
        tokens = ranks[np.array(self._tokens, np.int64)] << 32
        tokens |= np.repeat(docs << 8 | codes, sizes)
        tokens.sort()
        new = np.flatnonzero(np.diff(tokens, prepend=-1))
        counts = np.diff(new, append=len(tokens))
        records = (counts - 1) // MAX_POSTING_COUNT + 1
        if records.max(initial=1) > 1:  # all records of a posting but the last are full
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
        """Return [fields, documents] how many terms a field has."""
        lengths = np.zeros((len(CODED_FIELDS), self.document_count), np.uint32)
        docs, codes, sizes = self._runs
        lengths[np.array(codes), np.array(docs)] = sizes
        return lengths


class MergePart(NamedTuple):
    """A pack, and which of its documents [documents] are not deleted."""

    pack: Pack
    alive_mask: Mask


def merge_packs(path: Path, parts: Sequence[MergePart]) -> int:
    """Write the alive documents of all parts as one pack; return how many there are.

    Postings pass through memory MERGE_SLICE_POSTINGS at a time. Raises OSError, and
    ValueError when a part is damaged or has other fields.
    """
    if any(part.pack.fields != CODED_FIELDS for part in parts):
        raise ValueError("a pack has other fields")
    return _PackMerger(parts).write_merged_pack(path)


class _PackMerger:
    """Parts, and where their terms and documents go in the merged pack.

    ranks        for each part [its terms]: number of a term in the merged pack, ascending
    doc_numbers  for each part [its documents]: number of a document in the merged pack,
                 without meaning for a deleted one
    owner        [terms] number of a part that has the term
    source       [terms] number of the term in that part
    """

    def __init__(self, parts: Sequence[MergePart]) -> None:
        self.parts = parts
        hashes = np.unique(np.concatenate([part.pack.hashes for part in parts]))
        ranks = [np.searchsorted(hashes, part.pack.hashes) for part in parts]
        sizes = np.zeros(len(hashes), np.int64)
        for part, rank in zip(parts, ranks, strict=True):
            sizes[rank] += _count_living_postings(part)
        is_kept = sizes > 0  # terms of deleted documents only are dropped
        new_ranks = np.maximum(np.cumsum(is_kept) - 1, 0)
        self.ranks = [new_ranks[rank] for rank in ranks]
        self.hashes, self.spans = hashes[is_kept], compute_prefix_sums(sizes[is_kept])
        self.owner, self.source, lengths = np.zeros((3, len(self.hashes)), np.int64)
        for number, (part, rank) in enumerate(zip(parts, ranks, strict=True)):
            kept_terms = is_kept[rank]
            at = new_ranks[rank[kept_terms]]
            self.owner[at], self.source[at] = number, np.flatnonzero(kept_terms)
            lengths[at] = np.diff(part.pack.cuts)[kept_terms]
        self.cuts = compute_prefix_sums(lengths)
        alive_counts = [int(np.count_nonzero(part.alive_mask)) for part in parts]
        self.document_count = sum(alive_counts)
        self.doc_numbers = [
            np.cumsum(part.alive_mask) - 1 + before
            for part, before in zip(
                parts, compute_prefix_sums(alive_counts).tolist(), strict=False
            )
        ]

    def write_merged_pack(self, path: Path) -> int:
        """Write the merged pack to `path`; return how many documents it has."""
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
        with PackWriter(path, CODED_FIELDS, shapes) as writer:
            for pack, alive in self.parts:
                writer.write_part("ids", pack.ids[alive])
                writer.write_part("digests", pack.digests[alive])
            for code in range(len(CODED_FIELDS)):
                for pack, alive in self.parts:
                    writer.write_part("lengths", pack.lengths[code, alive])
            for name in ("hashes", "spans", "cuts"):
                writer.write_part(name, getattr(self, name))
            for first, last in self._iterate_term_ranges():
                writer.write_part("letters", self._merge_letters(first, last))
                for name, column in self._merge_postings(first, last).items():
                    writer.write_part(name, column)
                for pack, _ in self.parts:
                    pack.release_pages()
        return self.document_count

    def _iterate_term_ranges(self) -> Iterator[tuple[int, int]]:
        """Yield ranges of terms with about MERGE_SLICE_POSTINGS postings together."""
        marks = np.arange(0, self.spans[-1], MERGE_SLICE_POSTINGS)
        edges = np.unique([*np.searchsorted(self.spans[:-1], marks), len(self.hashes)])
        yield from pairwise(edges.tolist())

    def _merge_letters(self, first: int, last: int) -> npt.NDArray[np.uint8]:
        """Return the keys of a range of terms, one after another."""
        start = self.cuts[first]
        letters = np.empty(self.cuts[last] - start, np.uint8)
        for number, (pack, _) in enumerate(self.parts):
            terms = np.flatnonzero(self.owner[first:last] == number) + first
            source = self.source[terms]
            sizes = self.cuts[terms + 1] - self.cuts[terms]
            letters[expand_ranges(self.cuts[terms] - start, sizes)] = pack.letters[
                expand_ranges(pack.cuts[source], sizes)
            ]
        return letters

    def _merge_postings(self, first: int, last: int) -> dict[str, npt.NDArray[Any]]:
        """Return {array: postings} of a range of terms, by term, then by part."""
        size = self.spans[last] - self.spans[first]
        merged = {name: np.empty(size, ARRAY_DTYPES[name]) for name in POSTING_ARRAYS}
        free = self.spans[first:last] - self.spans[first]
        for (pack, alive), rank, doc_numbers in zip(
            self.parts, self.ranks, self.doc_numbers, strict=True
        ):
            begin, end = np.searchsorted(rank, (first, last))
            edges = pack.spans[begin : end + 1]
            is_kept = alive[docs := pack.docs[edges[0] : edges[-1]]]
            terms = np.repeat(rank[begin:end] - first, np.diff(edges))[is_kept]
            sizes = np.bincount(terms, minlength=last - first)
            to = (free - compute_prefix_sums(sizes)[:-1])[terms] + np.arange(len(terms))
            free += sizes
            merged["docs"][to] = doc_numbers[docs[is_kept]]
            merged["codes"][to] = pack.codes[edges[0] : edges[-1]][is_kept]
            merged["counts"][to] = pack.counts[edges[0] : edges[-1]][is_kept]
        return merged


def _count_living_postings(part: MergePart) -> IntArray:
    """Return [terms] how many postings of alive documents each term has."""
    if part.alive_mask.all():
        return np.diff(part.pack.spans)
    return np.diff(
        compute_prefix_sums(part.alive_mask[part.pack.docs])[part.pack.spans]
    )


def compute_prefix_sums(numbers: npt.ArrayLike) -> IntArray:
    """Return [n + 1] the sum of the numbers before each place, and of all n last."""
    return np.concatenate([[0], np.cumsum(numbers, dtype=np.int64)])


def expand_ranges(starts: IntArray, sizes: IntArray) -> IntArray:
    """Return start, start + 1, … of each range, `sizes` numbers each, one after another."""
    before = compute_prefix_sums(sizes)
    return np.repeat(starts - before[:-1], sizes) + np.arange(before[-1])
