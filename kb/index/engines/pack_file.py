"""The file of a segment: plain arrays, written once, then memory-mapped and read only."""

from __future__ import annotations

import json
import mmap
import zlib
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from math import prod
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kb.index.engines.base import BIGRAM_SUFFIX

IntArray = npt.NDArray[np.int64]

TermKey = tuple[str, bool]  # a term, and whether it is a bigram of characters

LABELS_FIELD = "labels"  # the field in which labels are indexed
WORD_KIND, BIGRAM_KIND, LABEL_KIND = "w", "p", "l"  # of terms; first byte of a key
PACK_MAGIC = b"KBPACK1\n"
PACK_TAIL_BYTES = (
    len(PACK_MAGIC) + 8
)  # after the header: its length, checksum, PACK_MAGIC
ARRAY_ALIGNMENT_BYTES = 64
DIGEST_BYTES = 16  # of a document
# Arrays in the order of the file, little-endian. All but the postings (docs, codes,
# counts) are small: they are read, and their checksums verified, when a file is opened.
ARRAY_DTYPES: Final = {
    "ids": "<i8",
    "digests": "u1",
    "lengths": "<u4",
    "hashes": "<u8",
    "spans": "<i8",
    "cuts": "<i8",
    "letters": "u1",
    "docs": "<u4",
    "codes": "u1",
    "counts": "u1",
}
POSTING_ARRAYS = ("docs", "codes", "counts")
SAME_DOCUMENT_FLAG = (
    128  # in codes: the posting has the same document as the one before
)


class Pack:
    """The arrays of one file of n documents, f fields, t terms and p postings.

    ids      [n] int64 ids of documents; their numbers are their places here
    digests  [n, 16] uint8
    lengths  [f, n] uint32 terms of a document in a field, in order of `fields`
    hashes   [t] uint64 of the terms' keys, ascending
    spans    [t + 1] int64; the postings of term k are spans[k]:spans[k + 1]
    cuts     [t + 1] int64; the key of term k is letters[cuts[k]:cuts[k + 1]]
    letters  [sum of key lengths] uint8
    docs     [p] uint32 document numbers, ascending within a term
    codes    [p] uint8 place of the field in `fields`, with SAME_DOCUMENT_FLAG
    counts   [p] uint8 frequency; one above 255 takes several postings

    The postings of all fields of a term are together. The file is memory-mapped: what
    is read is page cache, which the system reclaims when it needs memory. Threads may
    share an object. Raises ValueError when the file is damaged, OSError without one.
    """

    ids: IntArray
    digests: npt.NDArray[np.uint8]
    lengths: npt.NDArray[np.uint32]
    hashes: npt.NDArray[np.uint64]
    spans: IntArray
    cuts: IntArray
    letters: npt.NDArray[np.uint8]
    docs: npt.NDArray[np.uint32]
    codes: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.uint8]

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._mapped_file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        header = _read_header(self._mapped_file)
        self.fields: tuple[str, ...] = tuple(header["fields"])
        self._file_name = path.name
        self._posting_checksums: dict[str, int] = header.get("postings", {})
        for name, dtype in ARRAY_DTYPES.items():
            offset, shape, checksum = header["arrays"][name]
            flat = np.frombuffer(self._mapped_file, dtype, prod(shape), offset)
            if checksum is not None and zlib.crc32(flat.data) != checksum:
                raise ValueError(f"{path.name}: {name} changed on disk")
            setattr(self, name, flat.reshape(shape))
        if (np.diff(self.spans) < 0).any() or self.spans[-1:].sum() > len(self.docs):
            raise ValueError(f"{path.name}: postings beyond the end")

    def __len__(self) -> int:
        return len(self.ids)

    def find_postings(self, keys: Sequence[bytes]) -> tuple[list[int], list[int]]:
        """Return [keys] begins and [keys] ends of postings; 0 and 0 of an unknown key."""
        at, after = self.find_terms(keys)
        return self.spans.take(at).tolist(), self.spans.take(after).tolist()

    def find_terms(self, keys: Sequence[bytes]) -> tuple[IntArray, IntArray]:
        """Return [keys] numbers of the terms, and [keys] those numbers + 1.

        Both are 0 for an unknown key, an empty range. Keys are compared by their
        64-bit hash alone: with a million terms an unknown key matches one with a
        probability of 5 · 10⁻¹⁴.
        """
        if not len(self.hashes):
            nothing = np.zeros(len(keys), np.int64)
            return nothing, nothing
        wanted = hash_keys(keys)
        at = self.hashes.searchsorted(wanted)
        is_known = self.hashes.take(at, mode="clip") == wanted
        at *= is_known
        return at, at + is_known

    def read_key(self, term: int) -> bytes:
        """Return the key of the term with the number `term`."""
        return self.letters[self.cuts[term] : self.cuts[term + 1]].tobytes()

    def list_latin_words(self) -> list[str]:
        """Return all words of the letters a to z only."""
        if not len(self.hashes):
            return []
        starts, sizes = self.cuts[:-1], np.diff(self.cuts)
        is_other = (self.letters < ord("a")) | (self.letters > ord("z"))
        is_other[starts] = self.letters[starts] != ord(WORD_KIND)
        is_latin = np.add.reduceat(is_other, starts, dtype=np.int64) == 0
        at = np.flatnonzero(is_latin & (sizes > 1)).tolist()
        return [self.read_key(term)[1:].decode() for term in at]

    def verify_checksums(self) -> None:
        """Read all postings; raises ValueError when a checksum does not match."""
        for name, checksum in self._posting_checksums.items():
            if zlib.crc32(getattr(self, name).data) != checksum:
                raise ValueError(f"{self._file_name}: {name} changed on disk")
        self.release_pages()

    def release_pages(self) -> None:
        """Give the mapped pages back to the system; they are read again when needed."""
        self._mapped_file.madvise(mmap.MADV_DONTNEED)


class PackWriter:
    """Writes the file of a Pack, each array in any number of parts.

    `shapes` are those of the whole arrays. Leaving the block writes the header;
    after an exception there is none, and the file counts as damaged.
    """

    def __init__(
        self, path: Path, fields: Sequence[str], shapes: dict[str, Sequence[int]]
    ) -> None:
        self._file = path.open("wb")
        self._fields = fields
        self._shapes = {name: [int(n) for n in shape] for name, shape in shapes.items()}
        self._checksums = dict.fromkeys(ARRAY_DTYPES, 0)
        self._offsets: dict[str, int] = {}
        end = 0
        for name, dtype in ARRAY_DTYPES.items():
            self._offsets[name] = end
            size = prod(self._shapes[name]) * np.dtype(dtype).itemsize
            end += -(-size // ARRAY_ALIGNMENT_BYTES) * ARRAY_ALIGNMENT_BYTES
        self._positions = dict(self._offsets)
        self._data_end = end

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if kind is None:
                self._write_header()

    def write_part(self, name: str, part: npt.NDArray[Any]) -> None:
        """Write the next part of the array `name`."""
        part = np.ascontiguousarray(part, ARRAY_DTYPES[name])
        self._file.seek(self._positions[name])
        self._file.write(part.data)
        self._positions[name] += part.nbytes
        self._checksums[name] = zlib.crc32(part.data, self._checksums[name])

    def _write_header(self) -> None:
        # Checksums of postings are apart: opening a file must not read all of them.
        postings = {name: self._checksums.pop(name) for name in POSTING_ARRAYS}
        arrays = {
            name: [self._offsets[name], self._shapes[name], self._checksums.get(name)]
            for name in ARRAY_DTYPES
        }
        content = {"fields": list(self._fields), "arrays": arrays, "postings": postings}
        header = json.dumps(content).encode()
        self._file.seek(self._data_end)
        self._file.write(header)
        for number in (len(header), zlib.crc32(header)):
            self._file.write(number.to_bytes(4, "little"))
        self._file.write(PACK_MAGIC)


def get_term_kind(field: str) -> str:
    """Return the kind of the terms in `field`: words, bigrams or labels."""
    return (
        LABEL_KIND
        if field == LABELS_FIELD
        else BIGRAM_KIND
        if field.endswith(BIGRAM_SUFFIX)
        else WORD_KIND
    )


def encode_term(kind: str, term: str) -> bytes:
    """Return the key of a term in a pack; fields of a kind share keys."""
    return (kind + term).encode("utf-8", "surrogatepass")


def decode_term(key: bytes) -> TermKey | None:
    """Return the term of a key, and whether it is a bigram; None for a label."""
    text = key.decode("utf-8", "surrogatepass")
    return None if text[0] == LABEL_KIND else (text[1:], text[0] == BIGRAM_KIND)


def hash_keys(keys: Iterable[bytes]) -> npt.NDArray[np.uint64]:
    """Return [keys] uint64 hashes, the same in every process."""
    digests = [blake2b(key, digest_size=8).digest() for key in keys]
    return np.frombuffer(b"".join(digests), "<u8")


def _read_header(data: mmap.mmap) -> dict[str, Any]:
    tail = data[-PACK_TAIL_BYTES:]
    length, checksum = (int.from_bytes(tail[n : n + 4], "little") for n in (0, 4))
    header = data[-PACK_TAIL_BYTES - length : -PACK_TAIL_BYTES]
    if (
        tail[8:] != PACK_MAGIC
        or len(header) != length
        or zlib.crc32(header) != checksum
    ):
        raise ValueError("no header: the file was cut short or overwritten")
    content: dict[str, Any] = json.loads(header)
    return content
