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

from kb.index.engines.base import (
    INDEX_FIELDS,
    Document,
    Engine,
    EngineHits,
    EngineUnavailableError,
    IndexChanges,
    Mask,
    Query,
    ignore_missed_ids,
    return_unchanged,
)
from kb.index.engines.codec import PackSegment
from kb.index.engines.impact_cache import ImpactCache
from kb.index.engines.index_folder import FileVersion, IndexFolder, LiveGeneration
from kb.index.engines.pack_builder import MergePart, PackBuilder, merge_packs
from kb.index.engines.pack_file import DIGEST_BYTES, Pack
from kb.index.engines.packing_pool import (
    CallerError,
    pack_documents,
    wrap_caller_errors,
)
from kb.index.engines.scoring import IndexSnapshot
from kb.index.engines.segments import Segment
from kb.index.engines.spelling import find_spellings

WHOOSH_SCHEMA = Schema(
    id=STORED,
    digest=STORED,
    labels=KEYWORD,
    **{
        name: TEXT(analyzer=SpaceSeparatedTokenizer(), phrase=False)
        for name in INDEX_FIELDS
    },
)
BYTES_PER_MEGABYTE = 1 << 20
UNKNOWN_STAMP_MESSAGE = (
    "the database does not know this index, an older copy perhaps: rebuild it"
)
MAX_OPEN_ATTEMPTS = 20  # each needs another commit within a millisecond to fail
# A commit merges its documents with segments that are not much larger, so that
# segments stay few, and with none that would keep a reader of the commit waiting.
MAX_MERGE_SIZE_RATIO = 4
ALWAYS_MERGED_DOCUMENTS, MAX_MERGED_DOCUMENTS = 64, 20_000  # documents


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
        self.index_folder = IndexFolder(Path(path), patience)
        self.impact_cache = ImpactCache(cache_mb * BYTES_PER_MEGABYTE)
        self._open_lock = Lock()
        self._open_snapshot: tuple[FileVersion, str, IndexSnapshot] | None = None
        self._verified_files: dict[Path, tuple[int, int, int]] = {}
        self._loaded_segments: dict[str, Segment] = {}

    @contextmanager
    def open_writer(self) -> Iterator[IndexChanges]:
        with self.index_folder.hold_write_lock(), _translate_errors():
            live = self.index_folder.read_live_generation()
            if not self.is_known_stamp(live.stamp):
                raise EngineUnavailableError(UNKNOWN_STAMP_MESSAGE)
            index = _open_live_index(live)
            with self._open_lock:
                snapshot = self._read_segments(index)
            changes = IndexChanges(stamp=live.stamp)
            with wrap_caller_errors():
                yield changes
            put = {document.id: document for document in changes.documents}
            outdated = changes.deleted_ids | put.keys()
            self.index_folder.record_changed_ids(outdated)
            segments = list(index._segments())
            for segment, dead in zip(
                segments, snapshot.locate_by_segment(outdated), strict=True
            ):
                segment.deleted_numbers.update(dead)
            _commit_segments(
                index, self._write_segment(index, segments, list(put.values()))
            )
            contents = index.latest_generation()
            self.index_folder.publish_generation(
                LiveGeneration(live.folder, contents, changes.stamp)
            )

    def replace_index(
        self,
        items: Iterable[Any],
        describe: Callable[[Any], Document] = return_unchanged,
        *,
        missed: Callable[[set[int]], None] = ignore_missed_ids,
        processes: int = 1,
        stamp: str = "",
    ) -> None:
        with self.index_folder.start_generation() as made, _translate_errors():
            pieces = pack_documents(made, _guard_items(items), describe, processes)
            index = create_in(made, WHOOSH_SCHEMA)
            _commit_segments(index, _join_packs(index, pieces))
            live = LiveGeneration(made, index.latest_generation(), stamp)
            self.index_folder.swap_generation(live, _guard_callback(missed))
            self._verified_files.clear()

    def search(self, query: Query) -> EngineHits:
        with _translate_errors():
            return self._get_latest_snapshot().search_documents(query)

    def count_documents_per_clause(self, query: Query) -> tuple[int, ...]:
        with _translate_errors():
            return self._get_latest_snapshot().count_documents_per_clause(query)

    def match_clauses(self, query: Query, ids: Sequence[int]) -> Mask:
        with _translate_errors():
            return self._get_latest_snapshot().match_clauses(query, ids)

    def suggest_spellings(self, term: str) -> tuple[str, ...]:
        with _translate_errors():
            segments = self._get_latest_snapshot().segments
            words = {
                word for segment in segments for word in segment.list_latin_words()
            }
            return find_spellings(term, list(words))

    def count_documents(self, labels: tuple[frozenset[str], ...]) -> int:
        with _translate_errors():
            return self._get_latest_snapshot().count_documents(labels)

    def load_digests(self) -> dict[int, str]:
        with _translate_errors():
            snapshot = self._get_latest_snapshot()
            digests = np.concatenate(
                [
                    np.empty((0, DIGEST_BYTES), "u1"),
                    *(s.pack.digests for s in snapshot.segments),
                ]
            )
            ids = snapshot.ids[snapshot.alive_mask].tolist()
            hexes = (
                digests[snapshot.alive_mask].tobytes().hex(" ", DIGEST_BYTES).split()
            )
            return dict(zip(ids, hexes, strict=True))

    def read_stamp(self) -> str:
        with _translate_errors():
            return self.index_folder.read_live_generation().stamp

    def verify_index(self) -> None:
        try:
            self._verify_segments()
        except EngineUnavailableError:  # or a commit removed files under our feet
            with self.index_folder.hold_write_lock():
                self._verify_segments()

    def _verify_segments(self) -> None:
        with _translate_errors():
            self._get_latest_snapshot()
            live = self.index_folder.read_live_generation()
            seen: dict[Path, tuple[int, int, int]] = {}
            for segment in _open_live_index(live)._segments():
                path = segment.get_path(live.folder)
                status = path.stat()
                seen[path] = (status.st_ino, status.st_mtime_ns, status.st_size)
                if self._verified_files.get(path) != seen[path]:
                    Pack(path).verify_checksums()
            self._verified_files = seen

    def _get_latest_snapshot(self) -> IndexSnapshot:
        """Return the newest generation, opening it once for all threads.

        A stamp is strange for a moment to who read CURRENT just before a commit.
        """
        for _ in range(MAX_OPEN_ATTEMPTS):
            version = self.index_folder.read_version()
            opened = self._open_snapshot
            if opened is None or opened[0] != version:
                opened = self._open_latest()
            if self.is_known_stamp(opened[1]):
                return opened[2]
            if self.index_folder.read_version() == version:
                break
        raise EngineUnavailableError(UNKNOWN_STAMP_MESSAGE)

    def _open_latest(self) -> tuple[FileVersion, str, IndexSnapshot]:
        with self._open_lock:
            version = self.index_folder.read_version()
            if self._open_snapshot is None or self._open_snapshot[0] != version:
                self._open_snapshot = (version, *self._load_snapshot())
            return self._open_snapshot

    def _load_snapshot(self) -> tuple[str, IndexSnapshot]:
        """Read the index; look again when a commit removed files under our feet."""
        for _ in range(MAX_OPEN_ATTEMPTS):
            with suppress(FileNotFoundError):
                live = self.index_folder.read_live_generation()
                return live.stamp, self._read_segments(_open_live_index(live))
        live = self.index_folder.read_live_generation()
        return live.stamp, self._read_segments(_open_live_index(live))

    def _read_segments(self, index: FileIndex) -> IndexSnapshot:
        """Return the arrays of `index`, those of known segments used again."""
        known, found = self._loaded_segments, {}
        alive = [np.empty(0, np.bool_)]
        for segment in index._segments():
            name = segment.segment_id()
            path = segment.get_path(index.storage.folder)
            found[name] = known.get(name) or Segment(Pack(path), self.impact_cache)
            alive.append(_make_alive_mask(segment))
        self._loaded_segments = found
        return IndexSnapshot(list(found.values()), np.concatenate(alive))

    def _write_segment(
        self, index: FileIndex, segments: list[PackSegment], put: list[Document]
    ) -> list[PackSegment]:
        """Write what is put as a segment, small ones merged in; return all segments."""
        if not put:
            return [segment for segment in segments if segment.doc_count()]
        builder = PackBuilder()
        for document in put:
            builder.add_document(document)
        merged = _select_segments_to_merge(segments, len(put))
        added = PackSegment(index.indexname)
        path = added.get_path(index.storage.folder)
        builder.write_pack(path)
        added.document_count = len(put)
        if merged:
            packs = [
                self._loaded_segments[segment.segment_id()].pack for segment in merged
            ]
            parts = [
                MergePart(p, _make_alive_mask(s))
                for p, s in zip(packs, merged, strict=True)
            ]
            parts.append(MergePart(Pack(path), _make_alive_mask(added)))
            added = PackSegment(index.indexname)
            added.document_count = merge_packs(
                added.get_path(index.storage.folder), parts
            )
        kept = [s for s in segments if s not in merged and s.doc_count()]
        return [*kept, added]


def _open_live_index(live: LiveGeneration) -> FileIndex:
    """Open the live generation; a table of contents older than the last is refused."""
    index = open_dir(live.folder, schema=WHOOSH_SCHEMA)
    if index.latest_generation() < live.toc_number:
        raise ValueError("the table of contents is older than the last commit")
    return index


def _guard_items(items: Iterable[Any]) -> Iterator[Any]:
    with wrap_caller_errors():
        yield from items


def _guard_callback(missed: Callable[[set[int]], None]) -> Callable[[set[int]], None]:
    def call_guarded(ids: set[int]) -> None:
        with wrap_caller_errors():
            missed(ids)

    return call_guarded


@contextmanager
def _translate_errors() -> Iterator[None]:
    """A damaged index raises anything at all; to callers it is unavailable."""
    try:
        yield
    except CallerError as error:
        raise error.args[0] from None
    except EngineUnavailableError:
        raise
    except Exception as error:
        raise EngineUnavailableError(f"damaged index, rebuild it: {error!r}") from error


def _commit_segments(index: FileIndex, segments: list[PackSegment]) -> None:
    """Write a new table of contents, then remove the files that it does not name."""
    toc = TOC(WHOOSH_SCHEMA, segments, index.latest_generation() + 1)
    toc.write(index.storage, index.indexname)
    clean_files(index.storage, index.indexname, toc.generation, segments)


def _join_packs(index: FileIndex, pieces: list[Path]) -> list[PackSegment]:
    """Make one segment of the packs at `pieces`, which are gone afterwards."""
    if not pieces:
        return []
    segment = PackSegment(index.indexname)
    path = segment.get_path(index.storage.folder)
    if len(pieces) == 1:
        os.replace(pieces[0], path)
        segment.document_count = len(Pack(path))
        return [segment]
    packs = [Pack(piece) for piece in pieces]
    for piece in pieces:
        piece.unlink()
    parts = [MergePart(pack, np.ones(len(pack), np.bool_)) for pack in packs]
    segment.document_count = merge_packs(path, parts)
    return [segment]


def _select_segments_to_merge(
    segments: list[PackSegment], put: int
) -> list[PackSegment]:
    """Return the segments that a commit of `put` documents merges with its own."""
    merged: list[PackSegment] = []
    size = put
    for segment in sorted(segments, key=PackSegment.doc_count):
        most = max(MAX_MERGE_SIZE_RATIO * size, ALWAYS_MERGED_DOCUMENTS)
        if segment.doc_count_all() > min(most, MAX_MERGED_DOCUMENTS):
            break
        merged.append(segment)
        size += segment.doc_count()
    return merged


def _make_alive_mask(segment: PackSegment) -> Mask:
    alive = np.ones(segment.doc_count_all(), np.bool_)
    alive[list(segment.deleted_numbers)] = False
    return alive
