"""Files that are there whole or not at all, whatever ends the process or fills the disk."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PARTIAL_SUFFIX = ".part"  # how the name of a file ends that is being written
LEFTOVER_AGE_SECONDS = 3600  # after which nobody writes a partial file any more


def write_file_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Make `path` hold `data`; raises OSError, and then `path` is as it was.

    The data go into a file beside it, reach the disk, and take the name at once.
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
    """Delete what killed processes left half written; return how many files."""
    removed = 0
    before = time.time() - LEFTOVER_AGE_SECONDS
    for path in folder.glob(f".*{PARTIAL_SUFFIX}"):
        with suppress(OSError):  # another process was quicker
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
    return removed


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut; some file systems cannot."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
