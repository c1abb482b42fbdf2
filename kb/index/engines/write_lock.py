"""A lock for one writer, freed by the kernel when its process dies."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kb.index.engines.base import EngineBusyError, EngineUnavailableError

LOCK_POLL_SECONDS = 0.02  # seconds between two looks


@contextmanager
def hold_lock(
    path: Path, patience: float, busy: EngineBusyError | None = None
) -> Iterator[None]:
    """Hold the file lock at `path`, after waiting for `patience` seconds at most.

    Excludes threads as well as processes. Raises `busy`, an EngineBusy, when it
    waited in vain, and EngineUnavailable without a folder.
    """
    try:
        file = path.open("a")
    except OSError as error:
        raise EngineUnavailableError(f"no index folder: {error}") from error
    with file:
        deadline = time.monotonic() + patience
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise busy or EngineBusyError("another process is writing")
            time.sleep(LOCK_POLL_SECONDS)
        try:
            yield
        finally:  # closing would not do while a forked process has the file, too
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)


def is_lock_held(path: Path) -> bool:
    """Tell whether somebody holds the lock at `path`."""
    with suppress(FileNotFoundError), path.open() as file:
        return not _try_lock(file.fileno())
    return False


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
