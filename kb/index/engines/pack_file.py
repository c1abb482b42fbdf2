"""A segment as plain arrays in one file: written once, mapped, never changed."""

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

TermKey = tuple[str, bool]  # and whether it is a pair of characters

LABELS_FIELD = "labels"  # the field of a document's labels
WORD_KIND, BIGRAM_KIND, LABEL_KIND = "w", "p", "l"  # kinds of terms
PACK_MAGIC = b"KBPACK1\n"
PACK_TAIL_BYTES = (
    len(PACK_MAGIC) + 8
)  # bytes after the header: its length, its checksum, MAGIC
ARRAY_ALIGNMENT_BYTES = 64  # bytes
DIGEST_BYTES = 16  # bytes of a document's digest
# Arrays, little-endian, in the order in which they stand. All but the postings
# (docs, codes, counts) are small, read at once, and checked as a file is opened.
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
    128  # in codes, of a posting that has the document of the one before
)


class Pack:
    """The arrays of one file, for any number of threads.

    `ids` and `digests` are a document's, by its place; `lengths` are terms by
    field (in order of `fields`) and place. Term t has `hashes[t]`, ascending,
    its key in `letters[cuts[t]:cuts[t + 1]]` and its postings, of all fields
    together, in `spans[t]:spans[t + 1]`: in order of places `docs`, the field
    by its place in `fields` (and MORE, where `docs` repeats itself), and how
    often. A count above 255 takes several.

    The file is mapped: what is read of it is page cache, that the system takes
    back when it needs memory. Raises ValueError when the file is damaged.
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
        """Return where the postings of each key begin and end."""
        at, after = self.find_terms(keys)
        return self.spans.take(at).tolist(), self.spans.take(after).tolist()

    def find_terms(self, keys: Sequence[bytes]) -> tuple[IntArray, IntArray]:
        """Return the number of the term of each key, and the next one's.

        Of an unknown one both are 0, so that nothing is between them. A key is
        known by its hash alone: among a million terms an unknown one is taken
        for another by a chance of one in twenty million millions.
        """
        if not len(self.hashes):
            nothing = np.zeros(len(keys), np.int64)
            return nothing, nothing
        wanted = hash_keys(keys)
        at = self.hashes.searchsorted(wanted)
        known = self.hashes.take(at, mode="clip") == wanted
        at *= known
        return at, at + known

    def read_key(self, term: int) -> bytes:
        return self.letters[self.cuts[term] : self.cuts[term + 1]].tobytes()

    def list_latin_words(self) -> list[str]:
        """Return all words of letters from a to z alone."""
        if not len(self.hashes):
            return []
        starts, sizes = self.cuts[:-1], np.diff(self.cuts)
        strange = (self.letters < ord("a")) | (self.letters > ord("z"))
        strange[starts] = self.letters[starts] != ord(WORD_KIND)
        plain = np.add.reduceat(strange, starts, dtype=np.int64) == 0
        at = np.flatnonzero(plain & (sizes > 1)).tolist()
        return [self.read_key(term)[1:].decode() for term in at]

    def verify_checksums(self) -> None:
        """Read all postings; raises ValueError when they changed since they were written."""
        for name, checksum in self._posting_checksums.items():
            if zlib.crc32(getattr(self, name).data) != checksum:
                raise ValueError(f"{self._file_name}: {name} changed on disk")
        self.release_pages()

    def release_pages(self) -> None:
        """Let go of the pages that were read; they are read again when needed."""
        self._mapped_file.madvise(mmap.MADV_DONTNEED)


class PackWriter:
    """Writes the arrays of a Pack, each in as many parts as one likes.

    `shapes` are those of the whole arrays. Leaving the block writes the header,
    without which a file is damaged.
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
        # Those of the postings stand apart: who opens the file does not read them all.
        postings = {name: self._checksums.pop(name) for name in POSTING_ARRAYS}
        arrays = {
            name: [self._offsets[name], self._shapes[name], self._checksums.get(name)]
            for name in ARRAY_DTYPES
        }
        told = {"fields": list(self._fields), "arrays": arrays, "postings": postings}
        header = json.dumps(told).encode()
        self._file.seek(self._data_end)
        self._file.write(header)
        for number in (len(header), zlib.crc32(header)):
            self._file.write(number.to_bytes(4, "little"))
        self._file.write(PACK_MAGIC)


def get_term_kind(field: str) -> str:
    """Return which terms those of `field` stand among: words, pairs or labels."""
    return (
        LABEL_KIND
        if field == LABELS_FIELD
        else BIGRAM_KIND
        if field.endswith(BIGRAM_SUFFIX)
        else WORD_KIND
    )


def encode_term(kind: str, term: str) -> bytes:
    """Return what stands for a term in a pack; one key for all fields of a kind."""
    return (kind + term).encode("utf-8", "surrogatepass")


def decode_term(key: bytes) -> TermKey | None:
    """Return a key's term and whether it is a pair, None for a label."""
    text = key.decode("utf-8", "surrogatepass")
    return None if text[0] == LABEL_KIND else (text[1:], text[0] == BIGRAM_KIND)


def hash_keys(keys: Iterable[bytes]) -> npt.NDArray[np.uint64]:
    """Return a hash of 64 bits for each key, the same in every process."""
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
    found: dict[str, Any] = json.loads(header)
    return found
