"""Atomic writing of files, also if the process is killed or the disk is full."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PARTIAL_SUFFIX = ".part"  # of a file that is being written
LEFTOVER_AGE_SECONDS = 3600  # older partial files are not being written any more


def write_file_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write `data` to `path`. Raises OSError, and then `path` is unchanged.

    The data are written to a file beside it and synced, which is then renamed.
    """
    descriptor, name = tempfile.mkstemp(
        PARTIAL_SUFFIX, f".{path.name[:40]}.", path.parent
    )
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    _sync_folder(path.parent)


def has_content(path: Path, data: bytes) -> bool:
    """Return whether `path` holds exactly `data`."""
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def remove_leftovers(folder: Path) -> int:
    """Delete partial files of killed processes; return the number of files."""
    removed = 0
    before = time.time() - LEFTOVER_AGE_SECONDS
    for path in folder.glob(f".*{PARTIAL_SUFFIX}"):
        with suppress(OSError):  # another process has deleted it
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
    return removed


def _sync_folder(folder: Path) -> None:
    """Sync the new name to disk, if the file system supports it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
