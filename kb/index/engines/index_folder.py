"""The folder of an index: its generations, which one is live, and who may write.

CURRENT names the live generation, its table of contents and the stamp of the last
commit, a line each. It is replaced after every commit, so that readers notice. The one writer holds LOCK. REBUILD is held while a generation is
made, and lists what changed meanwhile. Both locks go with their process.
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

SWAP_LOCK_TIMEOUT_SECONDS = 60.0  # seconds that a rebuild waits for the pen at its end
FileVersion = tuple[int, int, int]


class LiveGeneration(NamedTuple):
    """The live generation: its folder, its newest table of contents, its stamp."""

    folder: Path
    toc_number: int
    stamp: str


class IndexFolder:
    """`path` must be writable by us alone; a writer waits `patience` seconds."""

    def __init__(self, path: Path, patience: float) -> None:
        self.path = path
        self.lock_timeout_seconds = patience
        self._current_file = path / "CURRENT"
        self._lock_file = path / "LOCK"
        self._rebuild_file = path / "REBUILD"

    def read_live_generation(self) -> LiveGeneration:
        """Return the live generation; raises EngineUnavailable."""
        try:
            lines = self._current_file.read_text().split()
        except FileNotFoundError as error:
            raise EngineUnavailableError(
                "no index yet: run manage.py kb_index rebuild"
            ) from error
        name, contents, stamp, *_ = [*lines, "", "", ""]
        if not name.startswith(f"generation-{INDEX_FORMAT_VERSION}-"):
            raise EngineUnavailableError("old index: run manage.py kb_index rebuild")
        return LiveGeneration(self.path / name, int(contents or 0), stamp)

    def read_version(self) -> FileVersion:
        """Return what changes with every commit."""
        try:
            status = self._current_file.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (status.st_ino, status.st_mtime_ns, status.st_size)

    def publish_generation(self, live: LiveGeneration) -> None:
        """Name the live generation in a new file, so that readers look again."""
        note = self.path / "CURRENT.new"
        note.write_text(f"{live.folder.name}\n{live.toc_number}\n{live.stamp}\n")
        os.replace(note, self._current_file)

    def hold_write_lock(self) -> AbstractContextManager[None]:
        return write_lock.hold_lock(self._lock_file, self.lock_timeout_seconds)

    @contextmanager
    def start_generation(self) -> Iterator[Path]:
        """Be the one that rebuilds, in a new folder, which goes if that fails.

        The pen is held only to begin, so that saves go on. Whoever held it before
        has read the database before we do: what it wrote is in what we read.
        Whoever holds it later finds REBUILD held, and lists there what it changes.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as ours:
            with self.hold_write_lock():
                busy = RebuildRunningError("another rebuild is under way")
                ours.enter_context(write_lock.hold_lock(self._rebuild_file, 0, busy))
                os.truncate(self._rebuild_file, 0)
            made = Path(
                mkdtemp(dir=self.path, prefix=f"generation-{INDEX_FORMAT_VERSION}-")
            )
            try:
                yield made
            except BaseException:
                shutil.rmtree(made, ignore_errors=True)
                raise

    def record_changed_ids(self, ids: Iterable[int]) -> None:
        """Tell a rebuild what is about to change.

        The pen is ours, so that none begins or ends at this moment.
        """
        if write_lock.is_lock_held(self._rebuild_file):
            with self._rebuild_file.open("a") as file:
                file.writelines(f"{id}\n" for id in ids)

    def swap_generation(
        self, made: LiveGeneration, missed: Callable[[set[int]], None]
    ) -> None:
        """Pass on what the new generation misses, and only then make it the live one.

        Should we die in between, something is done once more than needed.
        """
        with write_lock.hold_lock(self._lock_file, SWAP_LOCK_TIMEOUT_SECONDS):
            missed({int(line) for line in self._rebuild_file.read_text().split()})
            self.publish_generation(made)
            for old in self.path.glob("generation-*"):
                if old != made.folder:
                    shutil.rmtree(old, ignore_errors=True)
