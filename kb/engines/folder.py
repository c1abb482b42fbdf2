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

from kb.engines import pen
from kb.engines.base import FORMAT, EngineUnavailable, RebuildRunning

SWAPPING = 60.0  # seconds that a rebuild waits for the pen at its end
Version = tuple[int, int, int]


class Live(NamedTuple):
    """The live generation: its folder, its newest table of contents, its stamp."""

    folder: Path
    contents: int
    stamp: str


class Folder:
    """`path` must be writable by us alone; a writer waits `patience` seconds."""

    def __init__(self, path: Path, patience: float) -> None:
        self.path = path
        self.patience = patience
        self._current = path / "CURRENT"
        self._lock = path / "LOCK"
        self._changed = path / "REBUILD"

    def live(self) -> Live:
        """Return the live generation; raises EngineUnavailable."""
        try:
            lines = self._current.read_text().split()
        except FileNotFoundError as error:
            raise EngineUnavailable(
                "no index yet: run manage.py kb_index rebuild"
            ) from error
        name, contents, stamp, *_ = [*lines, "", "", ""]
        if not name.startswith(f"generation-{FORMAT}-"):
            raise EngineUnavailable("old index: run manage.py kb_index rebuild")
        return Live(self.path / name, int(contents or 0), stamp)

    def version(self) -> Version:
        """Return what changes with every commit."""
        try:
            status = self._current.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (status.st_ino, status.st_mtime_ns, status.st_size)

    def announce(self, live: Live) -> None:
        """Name the live generation in a new file, so that readers look again."""
        note = self.path / "CURRENT.new"
        note.write_text(f"{live.folder.name}\n{live.contents}\n{live.stamp}\n")
        os.replace(note, self._current)

    def pen(self) -> AbstractContextManager[None]:
        return pen.hold(self._lock, self.patience)

    @contextmanager
    def rebuild(self) -> Iterator[Path]:
        """Be the one that rebuilds, in a new folder, which goes if that fails.

        The pen is held only to begin, so that saves go on. Whoever held it before
        has read the database before we do: what it wrote is in what we read.
        Whoever holds it later finds REBUILD held, and lists there what it changes.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as ours:
            with self.pen():
                busy = RebuildRunning("another rebuild is under way")
                ours.enter_context(pen.hold(self._changed, 0, busy))
                os.truncate(self._changed, 0)
            made = Path(mkdtemp(dir=self.path, prefix=f"generation-{FORMAT}-"))
            try:
                yield made
            except BaseException:
                shutil.rmtree(made, ignore_errors=True)
                raise

    def changing(self, ids: Iterable[int]) -> None:
        """Tell a rebuild what is about to change.

        The pen is ours, so that none begins or ends at this moment.
        """
        if pen.held(self._changed):
            with self._changed.open("a") as file:
                file.writelines(f"{id}\n" for id in ids)

    def swap(self, made: Live, missed: Callable[[set[int]], None]) -> None:
        """Pass on what the new generation misses, and only then make it the live one.

        Should we die in between, something is done once more than needed.
        """
        with pen.hold(self._lock, SWAPPING):
            missed({int(line) for line in self._changed.read_text().split()})
            self.announce(made)
            for old in self.path.glob("generation-*"):
                if old != made.folder:
                    shutil.rmtree(old, ignore_errors=True)
