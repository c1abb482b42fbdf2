"""The folder of an index: its generations, which one is live, and its locks.

A generation is a folder with a whole index. The file CURRENT names the live generation,
its newest table of contents and the stamp of the last commit, a line each; it is replaced
after every commit, so that readers notice. A writer holds the lock LOCK. A rebuild holds
REBUILD, a file that lists the ids of documents that were changed meanwhile. The kernel
frees both locks when their process ends.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

from kb.index.engines import write_lock
from kb.index.engines.base import (
    INDEX_FORMAT_VERSION,
    EngineUnavailableError,
    RebuildRunningError,
)

SWAP_LOCK_TIMEOUT_SECONDS = 60.0  # that a rebuild waits for the write lock at its end
FileVersion = tuple[int, int, int]  # inode, time of change in ns, size in bytes


class LiveGeneration(NamedTuple):
    """A generation: its folder, the number of its newest table of contents, its stamp."""

    folder: Path
    toc_number: int
    stamp: str


class IndexFolder:
    """The folder at `path`, which no other program may write to.

    A writer waits `lock_timeout_seconds` for another one.
    """

    def __init__(self, path: Path, lock_timeout_seconds: float) -> None:
        self.path = path
        self.lock_timeout_seconds = lock_timeout_seconds
        self._current_file = path / "CURRENT"
        self._lock_file = path / "LOCK"
        self._rebuild_file = path / "REBUILD"

    def read_live_generation(self) -> LiveGeneration:
        """Return the live generation.

        Raises EngineUnavailableError without one, or with one of another format.
        """
        try:
            lines = self._current_file.read_text().split()
        except FileNotFoundError as error:
            raise EngineUnavailableError(
                "no index yet: run manage.py kb_index rebuild"
            ) from error
        name, toc_number, stamp, *_ = [*lines, "", "", ""]
        if not name.startswith(f"generation-{INDEX_FORMAT_VERSION}-"):
            raise EngineUnavailableError("old index: run manage.py kb_index rebuild")
        return LiveGeneration(self.path / name, int(toc_number or 0), stamp)

    def read_version(self) -> FileVersion:
        """Return a value that changes with every commit; cheap: one stat."""
        try:
            status = self._current_file.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (status.st_ino, status.st_mtime_ns, status.st_size)

    def publish_generation(self, live: LiveGeneration) -> None:
        """Replace CURRENT, atomically, so that readers open `live`."""
        new_file = self.path / "CURRENT.new"
        new_file.write_text(f"{live.folder.name}\n{live.toc_number}\n{live.stamp}\n")
        os.replace(new_file, self._current_file)

    def hold_write_lock(self) -> AbstractContextManager[None]:
        """Hold LOCK in a block. Raises EngineBusyError after the time-out."""
        return write_lock.hold_lock(self._lock_file, self.lock_timeout_seconds)

    @contextmanager
    def start_generation(self) -> Iterator[Path]:
        """Hold REBUILD and yield a new folder, which is deleted after an exception.

        LOCK is held only at the start, so that commits go on. A writer that held it
        before has read the database before this rebuild does, so this rebuild reads
        what it read. A later writer finds REBUILD held and lists its changes there.
        Raises RebuildRunningError when another process is rebuilding.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as locks:
            with self.hold_write_lock():
                busy = RebuildRunningError("another rebuild is under way")
                locks.enter_context(write_lock.hold_lock(self._rebuild_file, 0, busy))
                os.truncate(self._rebuild_file, 0)
            folder = Path(
                mkdtemp(dir=self.path, prefix=f"generation-{INDEX_FORMAT_VERSION}-")
            )
            try:
                yield folder
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise

    def record_changed_ids(self, ids: Iterable[int]) -> None:
        """List `ids` for a running rebuild, before they are changed.

        The caller holds LOCK, so no rebuild starts or ends meanwhile.
        """
        if write_lock.is_lock_held(self._rebuild_file):
            with self._rebuild_file.open("a") as file:
                file.writelines(f"{id}\n" for id in ids)

    def swap_generation(
        self, generation: LiveGeneration, missed: Callable[[set[int]], None]
    ) -> None:
        """Give `missed` the ids changed since the rebuild began, then publish `generation`.

        If the process dies in between, those are indexed once more than needed.
        """
        with write_lock.hold_lock(self._lock_file, SWAP_LOCK_TIMEOUT_SECONDS):
            missed({int(line) for line in self._rebuild_file.read_text().split()})
            self.publish_generation(generation)
            for old in self.path.glob("generation-*"):
                if old != generation.folder:
                    shutil.rmtree(old, ignore_errors=True)
