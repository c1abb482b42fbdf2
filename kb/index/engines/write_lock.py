"""An exclusive lock on a file, which the kernel frees when its process ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kb.index.engines.base import EngineBusyError, EngineUnavailableError

LOCK_POLL_SECONDS = 0.02  # between two attempts


@contextmanager
def hold_lock(
    path: Path, timeout_seconds: float, busy: EngineBusyError | None = None
) -> Iterator[None]:
    """Hold the lock on the file at `path` in a block, against threads and processes.

    Raises `busy`, or an EngineBusyError, when another holder does not release it within
    `timeout_seconds`, and EngineUnavailableError without a folder.
    """
    try:
        file = path.open("a")
    except OSError as error:
        raise EngineUnavailableError(f"no index folder: {error}") from error
    with file:
        deadline = time.monotonic() + timeout_seconds
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise busy or EngineBusyError("another process is writing")
            time.sleep(LOCK_POLL_SECONDS)
        try:
            yield
        finally:  # closing is not enough while a forked process has the file open
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)


def is_lock_held(path: Path) -> bool:
    """Return whether a thread or process holds the lock on the file at `path`."""
    with suppress(FileNotFoundError), path.open() as file:
        return not _try_lock(file.fileno())
    return False


def _try_lock(descriptor: int) -> bool:
    """Return whether the lock could be taken at once."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
