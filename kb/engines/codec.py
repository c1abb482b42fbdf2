"""Packs as Whoosh's own readers see them: its searcher works on our segments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from whoosh.codec.base import Codec, PerDocumentReader, Segment, TermsReader
from whoosh.matching import ListMatcher
from whoosh.reading import TermInfo, TermNotFound

from kb.engines.packed import MORE, Ints, Pack, key_of, kind_of

EXTENSION = ".seg"


class PackSegment(Segment):  # type: ignore[misc]
    """What the table of contents holds of a pack: its name and its dead."""

    def __init__(self, indexname: str) -> None:
        super().__init__(indexname)
        self.documents = 0
        self.dead: set[int] = set()

    def codec(self) -> PackCodec:
        return PackCodec()

    def path(self, folder: str | Path) -> Path:
        return Path(folder) / str(self.make_filename(EXTENSION))

    def set_doc_count(self, doccount: int) -> None:
        self.documents = doccount

    def doc_count_all(self) -> int:
        return self.documents

    def deleted_count(self) -> int:
        return len(self.dead)

    def deleted_docs(self) -> Iterator[int]:
        return iter(self.dead)

    def delete_document(self, docnum: int, delete: bool = True) -> None:
        (self.dead.add if delete else self.dead.discard)(docnum)

    def is_deleted(self, docnum: int) -> bool:
        return docnum in self.dead


class PackCodec(Codec):  # type: ignore[misc]
    """Reads only: `packing` writes, whole segments at a time."""

    def new_segment(self, storage: Any, indexname: str) -> PackSegment:
        return PackSegment(indexname)

    def terms_reader(self, storage: Any, segment: PackSegment) -> _Terms:
        return _Terms(Pack(segment.path(storage.folder)))

    def per_document_reader(self, storage: Any, segment: PackSegment) -> _Documents:
        return _Documents(Pack(segment.path(storage.folder)), segment)


class _Documents(PerDocumentReader):  # type: ignore[misc]
    def __init__(self, pack: Pack, segment: PackSegment) -> None:
        self._pack = pack
        self._segment = segment

    def doc_count(self) -> int:
        return self._segment.doc_count()  # type: ignore[no-any-return]

    def doc_count_all(self) -> int:
        return self._segment.documents

    def has_deletions(self) -> bool:
        return bool(self._segment.dead)

    def is_deleted(self, docnum: int) -> bool:
        return self._segment.is_deleted(docnum)

    def deleted_docs(self) -> Iterator[int]:
        return self._segment.deleted_docs()

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        return int(self._lengths(fieldname)[docnum]) or default

    def field_length(self, fieldname: str) -> int:
        return int(self._lengths(fieldname).sum())

    def min_field_length(self, fieldname: str) -> int:
        return int(self._lengths(fieldname).min())

    def max_field_length(self, fieldname: str) -> int:
        return int(self._lengths(fieldname).max())

    def stored_fields(self, docnum: int) -> dict[str, Any]:
        id, digest = int(self._pack.ids[docnum]), self._pack.digests[docnum]
        return {"id": id, "digest": [id, digest.tobytes().hex()]}

    def _lengths(self, fieldname: str) -> Any:
        return self._pack.lengths[self._pack.fields.index(fieldname)]


class _Terms(TermsReader):  # type: ignore[misc]
    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    def __contains__(self, term: tuple[str, bytes]) -> bool:
        return len(self._postings(*term)[0]) > 0

    def indexed_field_names(self) -> tuple[str, ...]:
        return self._pack.fields

    def terms(self) -> Iterator[tuple[str, bytes]]:
        return self.terms_from("", b"")

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[str, bytes]]:
        pack = self._pack
        owners = np.repeat(np.arange(len(pack.hashes)), np.diff(pack.spans))
        held = np.unique(owners << 8 | pack.codes % MORE).tolist()
        terms = ((pack.fields[n & 255], pack.key(n >> 8)[1:]) for n in held)
        return iter(sorted(term for term in terms if term >= (fieldname, prefix)))

    def items(self) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        return self.items_from("", b"")

    def items_from(
        self, fieldname: str, prefix: bytes
    ) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        for term in self.terms_from(fieldname, prefix):
            yield term, self.term_info(*term)

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        docs, counts = self._postings(fieldname, text)
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
        return float(self._postings(fieldname, text)[1].sum())

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        return len(self._postings(fieldname, text)[0])

    def matcher(
        self, fieldname: str, text: bytes, format_: Any, scorer: Any = None
    ) -> ListMatcher:
        info = self.term_info(fieldname, text)
        docs, counts = self._postings(fieldname, text)
        return ListMatcher(
            docs.tolist(),
            counts.astype(float).tolist(),
            format=format_,
            scorer=scorer,
            term=(fieldname, text),
            terminfo=info,
        )

    def _postings(self, fieldname: str, text: bytes) -> tuple[Ints, Ints]:
        """Return the places and counts of a term in one field."""
        pack = self._pack
        if fieldname not in pack.fields:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        key = key_of(kind_of(fieldname), "") + text
        (begin,), (end,) = pack.find([key])
        mine = pack.codes[begin:end] % MORE == pack.fields.index(fieldname)
        docs, at = np.unique(pack.docs[begin:end][mine], return_inverse=True)
        counts = np.bincount(at, pack.counts[begin:end][mine], minlength=len(docs))
        return docs.astype(np.int64), counts.astype(np.int64)
