"""The default engine: an index in a folder of one machine.

Whoosh keeps the table of contents: which segments there are, and their deleted documents.
A segment is a pack (`pack_file`); `scoring` searches it, `codec` lets Whoosh read it.
`index_folder` knows which generation is live, and holds the locks.
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
MAX_OPEN_ATTEMPTS = 20  # one fails only when another commit comes within a millisecond
# A commit merges its documents with segments that are not much larger, so that
# segments stay few, and with none so large that the commit would take long.
MAX_MERGE_SIZE_RATIO = 4
ALWAYS_MERGED_DOCUMENTS, MAX_MERGED_DOCUMENTS = 64, 20_000  # documents


class WhooshEngine(Engine):
    """One index in the folder `path`, which no other program may write to.

    `cache_mb` is the budget in MiB for impacts of all segments in this process; mapped
    files are page cache besides. A writer waits `lock_timeout_seconds` for another one.
    """

    is_stored = True

    def __init__(
        self, path: str | Path, cache_mb: int = 128, lock_timeout_seconds: float = 2.0
    ) -> None:
        self.index_folder = IndexFolder(Path(path), lock_timeout_seconds)
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
            documents = {document.id: document for document in changes.documents}
            outdated = changes.deleted_ids | documents.keys()
            self.index_folder.record_changed_ids(outdated)
            segments = list(index._segments())
            for segment, numbers in zip(
                segments, snapshot.locate_by_segment(outdated), strict=True
            ):
                segment.deleted_numbers.update(numbers)
            _commit_segments(
                index, self._write_segment(index, segments, list(documents.values()))
            )
            toc_number = index.latest_generation()
            self.index_folder.publish_generation(
                LiveGeneration(live.folder, toc_number, changes.stamp)
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
        with self.index_folder.start_generation() as folder, _translate_errors():
            paths = pack_documents(folder, _guard_items(items), describe, processes)
            index = create_in(folder, WHOOSH_SCHEMA)
            _commit_segments(index, _join_packs(index, paths))
            live = LiveGeneration(folder, index.latest_generation(), stamp)
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
        except EngineUnavailableError:  # perhaps a commit removed files meanwhile
            with self.index_folder.hold_write_lock():
                self._verify_segments()

    def _verify_segments(self) -> None:
        """Verify packs whose inode, time of change or size are new."""
        with _translate_errors():
            self._get_latest_snapshot()
            live = self.index_folder.read_live_generation()
            verified: dict[Path, tuple[int, int, int]] = {}
            for segment in _open_live_index(live)._segments():
                path = segment.get_path(live.folder)
                status = path.stat()
                verified[path] = (status.st_ino, status.st_mtime_ns, status.st_size)
                if self._verified_files.get(path) != verified[path]:
                    Pack(path).verify_checksums()
            self._verified_files = verified

    def _get_latest_snapshot(self) -> IndexSnapshot:
        """Return the newest state of the index, opened once for all threads.

        The stamp of a state read just before a commit may be unknown by now: then the
        newer state is opened. Raises EngineUnavailableError for an unknown stamp.
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
        """Open the live generation; again when a commit removed its files meanwhile."""
        for _ in range(MAX_OPEN_ATTEMPTS):
            with suppress(FileNotFoundError):
                live = self.index_folder.read_live_generation()
                return live.stamp, self._read_segments(_open_live_index(live))
        live = self.index_folder.read_live_generation()
        return live.stamp, self._read_segments(_open_live_index(live))

    def _read_segments(self, index: FileIndex) -> IndexSnapshot:
        """Return the segments of `index`; those that are loaded already are used again."""
        loaded, segments = self._loaded_segments, {}
        alive = [np.empty(0, np.bool_)]
        for segment in index._segments():
            name = segment.segment_id()
            path = segment.get_path(index.storage.folder)
            segments[name] = loaded.get(name) or Segment(Pack(path), self.impact_cache)
            alive.append(_make_alive_mask(segment))
        self._loaded_segments = segments
        return IndexSnapshot(list(segments.values()), np.concatenate(alive))

    def _write_segment(
        self, index: FileIndex, segments: list[PackSegment], documents: list[Document]
    ) -> list[PackSegment]:
        """Write `documents` as a segment, small ones merged in; return all segments."""
        if not documents:
            return [segment for segment in segments if segment.doc_count()]
        builder = PackBuilder()
        for document in documents:
            builder.add_document(document)
        merged = _select_segments_to_merge(segments, len(documents))
        added = PackSegment(index.indexname)
        path = added.get_path(index.storage.folder)
        builder.write_pack(path)
        added.document_count = len(documents)
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
    """Open a generation. Raises ValueError for a table of contents older than the last."""
    index = open_dir(live.folder, schema=WHOOSH_SCHEMA)
    if index.latest_generation() < live.toc_number:
        raise ValueError("the table of contents is older than the last commit")
    return index


def _guard_items(items: Iterable[Any]) -> Iterator[Any]:
    """Yield `items`; their errors are raised as CallerError."""
    with wrap_caller_errors():
        yield from items


def _guard_callback(missed: Callable[[set[int]], None]) -> Callable[[set[int]], None]:
    """Return `missed` with its errors raised as CallerError."""

    def call_guarded(ids: set[int]) -> None:
        with wrap_caller_errors():
            missed(ids)

    return call_guarded


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raise EngineUnavailableError for any error of a damaged index; callers' errors pass."""
    try:
        yield
    except CallerError as error:
        raise error.args[0] from None
    except EngineUnavailableError:
        raise
    except Exception as error:
        raise EngineUnavailableError(f"damaged index, rebuild it: {error!r}") from error


def _commit_segments(index: FileIndex, segments: list[PackSegment]) -> None:
    """Write a new table of contents, then delete the files that it does not name."""
    toc = TOC(WHOOSH_SCHEMA, segments, index.latest_generation() + 1)
    toc.write(index.storage, index.indexname)
    clean_files(index.storage, index.indexname, toc.generation, segments)


def _join_packs(index: FileIndex, paths: list[Path]) -> list[PackSegment]:
    """Make one segment of the packs at `paths`, which are deleted."""
    if not paths:
        return []
    segment = PackSegment(index.indexname)
    path = segment.get_path(index.storage.folder)
    if len(paths) == 1:
        os.replace(paths[0], path)
        segment.document_count = len(Pack(path))
        return [segment]
    packs = [Pack(each) for each in paths]  # mapped: they stay readable
    for each in paths:
        each.unlink()
    parts = [MergePart(pack, np.ones(len(pack), np.bool_)) for pack in packs]
    segment.document_count = merge_packs(path, parts)
    return [segment]


def _select_segments_to_merge(
    segments: list[PackSegment], new_documents: int
) -> list[PackSegment]:
    """Return the segments that a commit of `new_documents` merges with its own."""
    merged: list[PackSegment] = []
    size = new_documents
    for segment in sorted(segments, key=PackSegment.doc_count):
        max_size = max(MAX_MERGE_SIZE_RATIO * size, ALWAYS_MERGED_DOCUMENTS)
        if segment.doc_count_all() > min(max_size, MAX_MERGED_DOCUMENTS):
            break
        merged.append(segment)
        size += segment.doc_count()
    return merged


def _make_alive_mask(segment: PackSegment) -> Mask:
    """Return [documents] bool: which documents of a segment are not deleted."""
    alive = np.ones(segment.doc_count_all(), np.bool_)
    alive[list(segment.deleted_numbers)] = False
    return alive
