"""Whoosh in a folder: the default engine, for one machine.

Whoosh keeps the postings; `impacts` scores them. The folder holds one folder a
generation, CURRENT, which names the live one and is replaced after every
commit so that readers notice, and LOCK, which the one writer holds.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import Any

import numpy as np
from whoosh.analysis import SpaceSeparatedTokenizer
from whoosh.codec.whoosh3 import LENGTHS_COLUMN, W3LeafMatcher
from whoosh.columns import NumericColumn
from whoosh.fields import COLUMN, KEYWORD, STORED, TEXT, Schema
from whoosh.index import FileIndex, create_in, open_dir
from whoosh.reading import EmptyReader, SegmentReader, TermNotFound
from whoosh.util.numeric import byte_to_length
from whoosh.writing import SegmentWriter

from kb.engines import pen
from kb.engines.base import (
    FIELDS,
    FORMAT,
    Changes,
    Document,
    Engine,
    EngineUnavailable,
    Hits,
    Query,
)
from kb.engines.impacts import NOTHING, Floats, Ints, Mask, Places, Segment, Snapshot

ID = NumericColumn("q")
SCHEMA = Schema(
    id=COLUMN(ID),
    digest=STORED,
    labels=KEYWORD,
    **{name: TEXT(analyzer=SpaceSeparatedTokenizer(), phrase=False) for name in FIELDS},
)
LENGTHS = np.array([byte_to_length(byte) for byte in range(256)], np.float32)
MEGABYTE = 1 << 20
RETRIES = 20  # each needs another commit within a millisecond to fail


class WhooshEngine(Engine):
    """One index below `path`, a folder that must be writable by us alone.

    `cache_mb` bounds the arrays of impacts, per segment; `patience` is how many
    seconds a writer waits for another one.
    """

    def __init__(
        self, path: str | Path, cache_mb: int = 256, patience: float = 2.0
    ) -> None:
        self.path = Path(path)
        self.current = self.path / "CURRENT"
        self.budget = cache_mb * MEGABYTE
        self.patience = patience
        self._opening = Lock()
        self._seen: tuple[int, int, int] | None = None
        self._snapshot = Snapshot([], np.empty(0, np.bool_))
        self._segments: dict[str, Segment] = {}

    @contextmanager
    def writing(self) -> Iterator[Changes]:
        with self._pen(), _translated():
            index = self._open()
            with self._opening:
                snapshot = self._read(index)
            changes = Changes()
            with _caller():
                yield changes
            outdated = changes.forget | {d.id for d in changes.put}
            with _writer(index) as writer:
                for place in snapshot.places(outdated):
                    writer.delete_document(place)
                for document in changes.put:
                    writer.add_document(**_columns(document))
            self._announce(Path(index.storage.folder).name)

    def replace(self, documents: Iterable[Document]) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._pen(), _translated():
            folder = Path(mkdtemp(dir=self.path, prefix=f"generation-{FORMAT}-"))
            try:
                with _writer(create_in(folder, SCHEMA), limitmb=256) as writer:
                    for document in _callers(documents):
                        writer.add_document(**_columns(document))
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._announce(folder.name)
            for old in self.path.glob("generation-*"):
                if old != folder:
                    shutil.rmtree(old, ignore_errors=True)

    def search(self, query: Query) -> Hits:
        with _translated():
            return self._latest().search(query)

    def holding(self, query: Query) -> tuple[int, ...]:
        with _translated():
            return self._latest().holding(query)

    def matched(self, query: Query, ids: Sequence[int]) -> list[frozenset[int]]:
        with _translated():
            return self._latest().matched(query, ids)

    def count(self, labels: tuple[frozenset[str], ...]) -> int:
        with _translated():
            return self._latest().fitting(labels)

    def digests(self) -> dict[int, str]:
        with _translated(), self._open().reader() as reader:
            return dict(fields["digest"] for fields in reader.all_stored_fields())

    def _latest(self) -> Snapshot:
        """Return the newest generation, opening it once for all threads."""
        stamp = self._stamp()
        if stamp != self._seen:
            with self._opening:
                if (stamp := self._stamp()) != self._seen:
                    self._snapshot = self._load()
                    self._seen = stamp
        return self._snapshot

    def _load(self) -> Snapshot:
        """Read the index; look again when a commit removed files under our feet."""
        for _ in range(RETRIES):
            with suppress(FileNotFoundError):
                return self._read(self._open())
        return self._read(self._open())

    def _read(self, index: FileIndex) -> Snapshot:
        """Return the arrays of `index`, those of known segments used again."""
        reader = index.reader()
        leaves = _leaves(reader)
        known = self._segments
        self._segments = {
            name: known.get(name) or _segment(leaf, self.budget)
            for leaf in leaves
            if (name := leaf.segment().segment_id())
        }
        alive = [_alive(leaf) for leaf in leaves]
        return Snapshot(
            list(self._segments.values()),
            np.concatenate([np.empty(0, np.bool_), *alive]),
        )

    def _open(self) -> FileIndex:
        try:
            folder = self.path / self.current.read_text().strip()
        except FileNotFoundError as error:
            raise EngineUnavailable(
                "no index yet: run manage.py kb_index rebuild"
            ) from error
        if not folder.name.startswith(f"generation-{FORMAT}-"):
            raise EngineUnavailable("old index: run manage.py kb_index rebuild")
        return open_dir(folder, schema=SCHEMA)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self.current.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (status.st_ino, status.st_mtime_ns, status.st_size)

    def _announce(self, folder: str) -> None:
        """Name the live generation in a new file, so that readers look again."""
        note = self.path / "CURRENT.new"
        note.write_text(folder)
        os.replace(note, self.current)

    def _pen(self) -> AbstractContextManager[None]:
        return pen.hold(self.path / "LOCK", self.patience)


class _CallersError(Exception):
    """Carries an error of the caller's own through `_translated`."""


@contextmanager
def _caller() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise _CallersError from error


def _callers(documents: Iterable[Document]) -> Iterator[Document]:
    with _caller():
        yield from documents


@contextmanager
def _translated() -> Iterator[None]:
    """A damaged index raises anything at all; to callers it is unavailable."""
    try:
        yield
    except _CallersError as error:
        raise error.__cause__ or error from None
    except EngineUnavailable:
        raise
    except Exception as error:
        raise EngineUnavailable(f"damaged index, rebuild it: {error!r}") from error


@contextmanager
def _writer(index: FileIndex, **options: Any) -> Iterator[SegmentWriter]:
    """Commit on leaving, cancel on any error; LOCK stands for Whoosh's lock.

    Whoosh's own stays held for the life of the process when the disk is full.
    """
    writer = index.writer(_lk=False, **options)
    try:
        yield writer
        writer.commit()
    except BaseException:
        with suppress(Exception):
            writer.cancel()
        raise


def _columns(document: Document) -> dict[str, Any]:
    texts = {name: " ".join(terms) for name, terms in document.terms.items() if terms}
    return {
        "id": document.id,
        "digest": [document.id, document.digest],
        "labels": " ".join(sorted(document.labels)),
        **texts,
    }


def _leaves(reader: Any) -> list[SegmentReader]:
    """Return the readers of the segments, in order of document numbers."""
    leaves = [leaf for leaf, _ in reader.leaf_readers()]
    return [leaf for leaf in leaves if not isinstance(leaf, EmptyReader)]


def _segment(leaf: SegmentReader, budget: int) -> Segment:
    ids: Ints = _column(leaf, "id", ID, ">i8").astype(np.int64)
    lengths: dict[str, Floats] = {
        name: LENGTHS[_column(leaf, f"_{name}_len", LENGTHS_COLUMN, "u1")]
        for name in FIELDS
    }
    return Segment(ids, lengths, _postings(leaf), budget)


def _column(leaf: SegmentReader, name: str, column: Any, dtype: str) -> Any:
    """Return one number a document; those after the last one written are zero."""
    values = np.zeros(leaf.doc_count_all(), dtype)
    perdoc = leaf._perdoc
    if perdoc.has_column(name):
        reader = perdoc.column_reader(name, column)
        raw = reader._dbfile.get(reader._basepos, reader._count * values.itemsize)
        values[: reader._count] = np.frombuffer(raw, dtype)
    return values


def _postings(leaf: SegmentReader) -> Callable[[str, str], tuple[Places, Floats]]:
    """Return a function that reads the postings of a term, of the dead as well.

    A segment never changes but for its dead, and Snapshot knows those; Whoosh's
    public way would filter by the dead of the moment at which it was opened.
    """
    terms, schema = leaf._terms, leaf.schema

    @lru_cache(maxsize=4)  # groups share fields, and ask for them one after another
    def postings(field: str, term: str) -> tuple[Places, Floats]:
        try:
            matcher = terms.matcher(field, term.encode(), schema[field].format)
        except TermNotFound:
            return NOTHING
        if not isinstance(matcher, W3LeafMatcher):  # a term of one document
            return np.array([matcher.id()], np.int32), np.array(
                [matcher.weight()], "f4"
            )
        places: list[Any] = []
        counts: list[Any] = []
        while matcher.is_active():  # a block at a time, as whoosh-reloaded 2.7.5 does
            matcher._read_ids()
            matcher._read_weights()
            places.append(np.array(matcher._ids, np.int32))
            counts.append(np.array(matcher._weights, np.float32))
            matcher._next_block()
        return np.concatenate(places), np.concatenate(counts)

    return postings


def _alive(leaf: SegmentReader) -> Mask:
    alive = np.ones(leaf.doc_count_all(), np.bool_)
    alive[list(leaf.segment().deleted_docs() or ())] = False
    return alive
