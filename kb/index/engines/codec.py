"""A codec of Whoosh that reads packs, so that Whoosh can open and search our segments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from whoosh.codec.base import Codec, PerDocumentReader, Segment, TermsReader
from whoosh.matching import ListMatcher
from whoosh.reading import TermInfo, TermNotFound

from kb.index.engines.pack_file import (
    SAME_DOCUMENT_FLAG,
    IntArray,
    Pack,
    encode_term,
    get_term_kind,
)

SEGMENT_FILE_EXTENSION = ".seg"


class PackSegment(Segment):  # type: ignore[misc]
    """An entry of the table of contents: a pack's name, size and deleted documents."""

    def __init__(self, indexname: str) -> None:
        super().__init__(indexname)
        self.document_count = 0
        self.deleted_numbers: set[int] = set()

    def codec(self) -> PackCodec:
        return PackCodec()

    def get_path(self, folder: str | Path) -> Path:
        """Return the path of the pack in the folder of the index."""
        return Path(folder) / str(self.make_filename(SEGMENT_FILE_EXTENSION))

    def set_doc_count(self, doccount: int) -> None:
        self.document_count = doccount

    def doc_count_all(self) -> int:
        return self.document_count

    def deleted_count(self) -> int:
        return len(self.deleted_numbers)

    def deleted_docs(self) -> Iterator[int]:
        return iter(self.deleted_numbers)

    def delete_document(self, docnum: int, delete: bool = True) -> None:
        (self.deleted_numbers.add if delete else self.deleted_numbers.discard)(docnum)

    def is_deleted(self, docnum: int) -> bool:
        return docnum in self.deleted_numbers


class PackCodec(Codec):  # type: ignore[misc]
    """Reads only: `pack_builder` writes, a whole segment at a time."""

    def new_segment(self, storage: Any, indexname: str) -> PackSegment:
        return PackSegment(indexname)

    def terms_reader(self, storage: Any, segment: PackSegment) -> _PackTermsReader:
        return _PackTermsReader(Pack(segment.get_path(storage.folder)))

    def per_document_reader(
        self, storage: Any, segment: PackSegment
    ) -> _PackDocumentReader:
        return _PackDocumentReader(Pack(segment.get_path(storage.folder)), segment)


class _PackDocumentReader(PerDocumentReader):  # type: ignore[misc]
    """Field lengths and stored fields of a pack's documents."""

    def __init__(self, pack: Pack, segment: PackSegment) -> None:
        self._pack = pack
        self._segment = segment

    def doc_count(self) -> int:
        return self._segment.doc_count()  # type: ignore[no-any-return]

    def doc_count_all(self) -> int:
        return self._segment.document_count

    def has_deletions(self) -> bool:
        return bool(self._segment.deleted_numbers)

    def is_deleted(self, docnum: int) -> bool:
        return self._segment.is_deleted(docnum)

    def deleted_docs(self) -> Iterator[int]:
        return self._segment.deleted_docs()

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        return int(self._get_field_lengths(fieldname)[docnum]) or default

    def field_length(self, fieldname: str) -> int:
        return int(self._get_field_lengths(fieldname).sum())

    def min_field_length(self, fieldname: str) -> int:
        return int(self._get_field_lengths(fieldname).min())

    def max_field_length(self, fieldname: str) -> int:
        return int(self._get_field_lengths(fieldname).max())

    def stored_fields(self, docnum: int) -> dict[str, Any]:
        id, digest = int(self._pack.ids[docnum]), self._pack.digests[docnum]
        return {"id": id, "digest": [id, digest.tobytes().hex()]}

    def _get_field_lengths(self, fieldname: str) -> Any:
        return self._pack.lengths[self._pack.fields.index(fieldname)]


class _PackTermsReader(TermsReader):  # type: ignore[misc]
    """Terms and postings of a pack, by field."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    def __contains__(self, term: tuple[str, bytes]) -> bool:
        return len(self._find_postings(*term)[0]) > 0

    def indexed_field_names(self) -> tuple[str, ...]:
        return self._pack.fields

    def terms(self) -> Iterator[tuple[str, bytes]]:
        return self.terms_from("", b"")

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[str, bytes]]:
        pack = self._pack
        owners = np.repeat(np.arange(len(pack.hashes)), np.diff(pack.spans))
        pairs = np.unique(owners << 8 | pack.codes % SAME_DOCUMENT_FLAG).tolist()
        terms = ((pack.fields[n & 255], pack.read_key(n >> 8)[1:]) for n in pairs)
        return iter(sorted(term for term in terms if term >= (fieldname, prefix)))

    def items(self) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        return self.items_from("", b"")

    def items_from(
        self, fieldname: str, prefix: bytes
    ) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        for term in self.terms_from(fieldname, prefix):
            yield term, self.term_info(*term)

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        docs, counts = self._find_postings(fieldname, text)
        if not len(docs):
            raise TermNotFound(f"No term {fieldname}:{text!r}")
        lengths = self._pack.lengths[self._pack.fields.index(fieldname)][docs]
        return TermInfo(
            weight=float(counts.sum()),
            df=len(docs),
            minlength=int(lengths.min()),
            maxlength=int(lengths.max()),
            maxweight=float(counts.max()),
            minid=int(docs[0]),
            maxid=int(docs[-1]),
        )

    def frequency(self, fieldname: str, text: bytes) -> float:
        return float(self._find_postings(fieldname, text)[1].sum())

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        return len(self._find_postings(fieldname, text)[0])

    def matcher(
        self, fieldname: str, text: bytes, format_: Any, scorer: Any = None
    ) -> ListMatcher:
        info = self.term_info(fieldname, text)
        docs, counts = self._find_postings(fieldname, text)
        return ListMatcher(
            docs.tolist(),
            counts.astype(float).tolist(),
            format=format_,
            scorer=scorer,
            term=(fieldname, text),
            terminfo=info,
        )

    def _find_postings(self, fieldname: str, text: bytes) -> tuple[IntArray, IntArray]:
        """Return [d] document numbers and [d] frequencies of a term in one field."""
        pack = self._pack
        if fieldname not in pack.fields:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        key = encode_term(get_term_kind(fieldname), "") + text
        (begin,), (end,) = pack.find_postings([key])
        code = pack.fields.index(fieldname)
        is_of_field = pack.codes[begin:end] % SAME_DOCUMENT_FLAG == code
        docs, at = np.unique(pack.docs[begin:end][is_of_field], return_inverse=True)
        counts = np.bincount(
            at, pack.counts[begin:end][is_of_field], minlength=len(docs)
        )
        return docs.astype(np.int64), counts.astype(np.int64)
