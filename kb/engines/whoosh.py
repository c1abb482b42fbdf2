"""Whoosh in a folder: the default engine, for one machine.

Whoosh keeps the table of contents: which segments there are, and their dead. A
segment is a pack, and `scoring` searches it; `codec` shows it to Whoosh's own
readers. `folder` knows which generation is live, and who may write.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from whoosh.analysis import SpaceSeparatedTokenizer
from whoosh.fields import KEYWORD, STORED, TEXT, Schema
from whoosh.index import TOC, FileIndex, clean_files, create_in, open_dir

from kb.engines.base import (
    FIELDS,
    Changes,
    Document,
    Engine,
    EngineUnavailable,
    Hits,
    Mask,
    Query,
    as_it_is,
    nothing_missed,
)
from kb.engines.cache import Cache
from kb.engines.codec import PackSegment
from kb.engines.folder import Folder, Live, Version
from kb.engines.packed import DIGEST, Pack
from kb.engines.packing import Builder, Part, merge
from kb.engines.pool import CallersError, callers, pack_all
from kb.engines.scoring import Snapshot
from kb.engines.segments import Segment
from kb.engines.slips import slips

SCHEMA = Schema(
    id=STORED,
    digest=STORED,
    labels=KEYWORD,
    **{name: TEXT(analyzer=SpaceSeparatedTokenizer(), phrase=False) for name in FIELDS},
)
MEGABYTE = 1 << 20
STRANGE = "the database does not know this index, an older copy perhaps: rebuild it"
RETRIES = 20  # each needs another commit within a millisecond to fail
# A commit merges its documents with segments that are not much larger, so that
# segments stay few, and with none that would keep a reader of the commit waiting.
LARGER = 4
ALWAYS_MERGED, NEVER_MERGED = 64, 20_000  # documents


class WhooshEngine(Engine):
    """One index below `path`, a folder that must be writable by us alone.

    `cache_mb` bounds what is kept of terms in this process, in all segments;
    what is mapped of the files is page cache. `patience` is how many seconds a
    writer waits for another one.
    """

    is_stored = True

    def __init__(
        self, path: str | Path, cache_mb: int = 128, patience: float = 2.0
    ) -> None:
        self.folder = Folder(Path(path), patience)
        self.cache = Cache(cache_mb * MEGABYTE)
        self._opening = Lock()
        self._opened: tuple[Version, str, Snapshot] | None = None
        self._checked: dict[Path, tuple[int, int, int]] = {}
        self._segments: dict[str, Segment] = {}

    @contextmanager
    def writing(self) -> Iterator[Changes]:
        with self.folder.pen(), _translated():
            live = self.folder.live()
            if not self.is_known_stamp(live.stamp):
                raise EngineUnavailable(STRANGE)
            index = _opened(live)
            with self._opening:
                snapshot = self._read(index)
            changes = Changes(stamp=live.stamp)
            with callers():
                yield changes
            put = {document.id: document for document in changes.put}
            outdated = changes.forget | put.keys()
            self.folder.changing(outdated)
            segments = list(index._segments())
            for segment, dead in zip(segments, snapshot.where(outdated), strict=True):
                segment.dead.update(dead)
            _commit(index, self._written(index, segments, list(put.values())))
            contents = index.latest_generation()
            self.folder.announce(Live(live.folder, contents, changes.stamp))

    def replace(
        self,
        items: Iterable[Any],
        describe: Callable[[Any], Document] = as_it_is,
        *,
        missed: Callable[[set[int]], None] = nothing_missed,
        processes: int = 1,
        stamp: str = "",
    ) -> None:
        with self.folder.rebuild() as made, _translated():
            pieces = pack_all(made, _callers_own(items), describe, processes)
            index = create_in(made, SCHEMA)
            _commit(index, _joined(index, pieces))
            live = Live(made, index.latest_generation(), stamp)
            self.folder.swap(live, _callers_own_call(missed))
            self._checked.clear()

    def search(self, query: Query) -> Hits:
        with _translated():
            return self._latest().search(query)

    def holding(self, query: Query) -> tuple[int, ...]:
        with _translated():
            return self._latest().holding(query)

    def matched(self, query: Query, ids: Sequence[int]) -> Mask:
        with _translated():
            return self._latest().matched(query, ids)

    def alike(self, term: str) -> tuple[str, ...]:
        with _translated():
            segments = self._latest().segments
            words = {word for segment in segments for word in segment.latin()}
            return slips(term, list(words))

    def count(self, labels: tuple[frozenset[str], ...]) -> int:
        with _translated():
            return self._latest().fitting(labels)

    def digests(self) -> dict[int, str]:
        with _translated():
            snapshot = self._latest()
            digests = np.concatenate(
                [
                    np.empty((0, DIGEST), "u1"),
                    *(s.pack.digests for s in snapshot.segments),
                ]
            )
            ids = snapshot.ids[snapshot.alive].tolist()
            hexes = digests[snapshot.alive].tobytes().hex(" ", DIGEST).split()
            return dict(zip(ids, hexes, strict=True))

    def stamp(self) -> str:
        with _translated():
            return self.folder.live().stamp

    def check(self) -> None:
        try:
            self._check()
        except EngineUnavailable:  # or a commit removed files under our feet
            with self.folder.pen():
                self._check()

    def _check(self) -> None:
        with _translated():
            self._latest()
            live = self.folder.live()
            seen: dict[Path, tuple[int, int, int]] = {}
            for segment in _opened(live)._segments():
                path = segment.path(live.folder)
                status = path.stat()
                seen[path] = (status.st_ino, status.st_mtime_ns, status.st_size)
                if self._checked.get(path) != seen[path]:
                    Pack(path).verify()
            self._checked = seen

    def _latest(self) -> Snapshot:
        """Return the newest generation, opening it once for all threads.

        A stamp is strange for a moment to who read CURRENT just before a commit.
        """
        for _ in range(RETRIES):
            version = self.folder.version()
            opened = self._opened
            if opened is None or opened[0] != version:
                opened = self._open()
            if self.is_known_stamp(opened[1]):
                return opened[2]
            if self.folder.version() == version:
                break
        raise EngineUnavailable(STRANGE)

    def _open(self) -> tuple[Version, str, Snapshot]:
        with self._opening:
            version = self.folder.version()
            if self._opened is None or self._opened[0] != version:
                self._opened = (version, *self._load())
            return self._opened

    def _load(self) -> tuple[str, Snapshot]:
        """Read the index; look again when a commit removed files under our feet."""
        for _ in range(RETRIES):
            with suppress(FileNotFoundError):
                live = self.folder.live()
                return live.stamp, self._read(_opened(live))
        live = self.folder.live()
        return live.stamp, self._read(_opened(live))

    def _read(self, index: FileIndex) -> Snapshot:
        """Return the arrays of `index`, those of known segments used again."""
        known, found = self._segments, {}
        alive = [np.empty(0, np.bool_)]
        for segment in index._segments():
            name = segment.segment_id()
            path = segment.path(index.storage.folder)
            found[name] = known.get(name) or Segment(Pack(path), self.cache)
            alive.append(_alive(segment))
        self._segments = found
        return Snapshot(list(found.values()), np.concatenate(alive))

    def _written(
        self, index: FileIndex, segments: list[PackSegment], put: list[Document]
    ) -> list[PackSegment]:
        """Write what is put as a segment, small ones merged in; return all segments."""
        if not put:
            return [segment for segment in segments if segment.doc_count()]
        builder = Builder()
        for document in put:
            builder.add(document)
        merged = _to_merge(segments, len(put))
        added = PackSegment(index.indexname)
        path = added.path(index.storage.folder)
        builder.write(path)
        added.documents = len(put)
        if merged:
            packs = [self._segments[segment.segment_id()].pack for segment in merged]
            parts = [Part(p, _alive(s)) for p, s in zip(packs, merged, strict=True)]
            parts.append(Part(Pack(path), _alive(added)))
            added = PackSegment(index.indexname)
            added.documents = merge(added.path(index.storage.folder), parts)
        kept = [s for s in segments if s not in merged and s.doc_count()]
        return [*kept, added]


def _opened(live: Live) -> FileIndex:
    """Open the live generation; a table of contents older than the last is refused."""
    index = open_dir(live.folder, schema=SCHEMA)
    if index.latest_generation() < live.contents:
        raise ValueError("the table of contents is older than the last commit")
    return index


def _callers_own(items: Iterable[Any]) -> Iterator[Any]:
    with callers():
        yield from items


def _callers_own_call(missed: Callable[[set[int]], None]) -> Callable[[set[int]], None]:
    def call(ids: set[int]) -> None:
        with callers():
            missed(ids)

    return call


@contextmanager
def _translated() -> Iterator[None]:
    """A damaged index raises anything at all; to callers it is unavailable."""
    try:
        yield
    except CallersError as error:
        raise error.args[0] from None
    except EngineUnavailable:
        raise
    except Exception as error:
        raise EngineUnavailable(f"damaged index, rebuild it: {error!r}") from error


def _commit(index: FileIndex, segments: list[PackSegment]) -> None:
    """Write a new table of contents, then remove the files that it does not name."""
    toc = TOC(SCHEMA, segments, index.latest_generation() + 1)
    toc.write(index.storage, index.indexname)
    clean_files(index.storage, index.indexname, toc.generation, segments)


def _joined(index: FileIndex, pieces: list[Path]) -> list[PackSegment]:
    """Make one segment of the packs at `pieces`, which are gone afterwards."""
    if not pieces:
        return []
    segment = PackSegment(index.indexname)
    path = segment.path(index.storage.folder)
    if len(pieces) == 1:
        os.replace(pieces[0], path)
        segment.documents = len(Pack(path))
        return [segment]
    packs = [Pack(piece) for piece in pieces]
    for piece in pieces:
        piece.unlink()
    parts = [Part(pack, np.ones(len(pack), np.bool_)) for pack in packs]
    segment.documents = merge(path, parts)
    return [segment]


def _to_merge(segments: list[PackSegment], put: int) -> list[PackSegment]:
    """Return the segments that a commit of `put` documents merges with its own."""
    merged: list[PackSegment] = []
    size = put
    for segment in sorted(segments, key=PackSegment.doc_count):
        most = max(LARGER * size, ALWAYS_MERGED)
        if segment.doc_count_all() > min(most, NEVER_MERGED):
            break
        merged.append(segment)
        size += segment.doc_count()
    return merged


def _alive(segment: PackSegment) -> Mask:
    alive = np.ones(segment.doc_count_all(), np.bool_)
    alive[list(segment.dead)] = False
    return alive
