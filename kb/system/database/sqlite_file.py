"""Whether the SQLite file is the one that we know, whole, and with its own log.

SQLite keeps committed pages in `<file>-wal` until it moves them into the file. A log
that is left beside an older copy of the file damages it, and SQLite does not notice.
So a small record beside the database says how far the file itself is known to be.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from urllib.parse import quote

from kb.system.database.errors import DatabaseReplacedError

MAX_FILE_CHECK_SECONDS = 5.0  # that a check of the whole file may take at the start
CHECK_INSTRUCTIONS = 100_000  # instructions of SQLite between two looks at the clock
FILE_WATCH_SECONDS = 60.0  # between two looks at the file
RECORD_FILE_NAME = "database.json"  # in DATA_DIR

logger = logging.getLogger(__name__)


class DatabaseFileGuard:
    """Remembers which file the process began with, and refuses any other.

    It is on in the processes of a running site, those in the background included:
    they neither make a file nor use another one. Commands may.
    """

    def __init__(self) -> None:
        self.is_on = False
        self._known: dict[str, tuple[int, int]] = {}

    def remember_file(self, path: str | Path) -> None:
        """Take the file as it is now for the right one."""
        self._known[str(path)] = _get_file_identity(path)

    def check_file(self, path: str | Path) -> None:
        """Raise DatabaseReplaced when the file is gone or another one."""
        known = self._known.get(str(path))
        if known is None:
            self.remember_file(path)
        elif _get_file_identity(path) != known:
            raise DatabaseReplacedError(
                f"{path} was replaced while the site was running"
            )


def _get_file_identity(path: str | Path) -> tuple[int, int]:
    try:
        found = os.stat(path)  # every statement asks; Path is slower
    except FileNotFoundError:
        raise DatabaseReplacedError(f"{path} does not exist") from None
    return found.st_dev, found.st_ino


file_guard = DatabaseFileGuard()


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How far the file itself has come, without its log: both numbers only grow."""

    migrations: int  # the number of the newest one
    rows: int  # that were ever added, over all tables


def read_file_progress(path: Path) -> FileProgress | None:
    """Return how far the file without its log is; None where it cannot be read."""
    address = f"file:{quote(str(path))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            numbers = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
    except sqlite3.Error:  # also while pages are being moved into it
        return None
    return FileProgress(numbers.get("django_migrations", 0), sum(numbers.values()))


class FileFault(StrEnum):
    MISSING = "missing"
    MIXED = "mixed"  # an older copy beside a newer log
    DAMAGED = "damaged"


def find_file_fault(path: Path, folder: Path) -> tuple[FileFault, str] | None:
    """Return why the file must not be served, with a sentence; None if it may be.

    `folder` holds the record of `write_record`.
    """
    if not path.is_file():
        return FileFault.MISSING, f"数据库文件 {path} 不存在。"
    if _is_older_than_log(path, folder):
        told = (
            f"{path} 是一份较旧的副本，旁边的 {path.name}-wal 却是后来的，"
            "放在一起会损坏数据库。"
        )
        return FileFault.MIXED, told
    if damage := find_file_damage(path):
        return FileFault.DAMAGED, f"数据库文件 {path} 已损坏（{damage}）。"
    return None


def _is_older_than_log(path: Path, folder: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    if not log.is_file() or not log.stat().st_size:
        return False
    recorded, found = read_progress_record(folder), read_file_progress(path)
    if recorded is None or found is None or found.migrations > recorded.migrations:
        return False
    return found != recorded and found.rows < recorded.rows


def find_file_damage(path: Path, seconds: float = MAX_FILE_CHECK_SECONDS) -> str:
    """Return what `PRAGMA quick_check` finds; empty if nothing in that time."""
    ends = monotonic() + seconds
    address = f"file:{quote(str(path))}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.set_progress_handler(
                lambda: monotonic() > ends, CHECK_INSTRUCTIONS
            )
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:  # too large, locked, read-only
        logger.warning("%s: not checked to the end: %s", path, error)
        return ""
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else str(found)


def read_progress_record(folder: Path) -> FileProgress | None:
    """Return what was last recorded; None where there is no record."""
    try:
        return FileProgress(
            **json.loads((folder / RECORD_FILE_NAME).read_text("utf-8"))
        )
    except (OSError, ValueError, TypeError):
        return None


def write_progress_record(path: Path | None, folder: Path) -> None:
    """Record how far the file is, and with it that this folder has been in use.

    Without a `path`, where the database is a server, only the latter.
    """
    recorded = read_progress_record(folder)
    found = read_file_progress(path) if path else None
    if found is None and recorded is None:  # at least that it has been in use
        found = FileProgress(0, 0)
    if found is None or found == recorded:
        return
    beside = folder / f".{RECORD_FILE_NAME}.{os.getpid()}"
    beside.write_text(json.dumps(asdict(found)), "utf-8")
    beside.replace(folder / RECORD_FILE_NAME)


def start_file_watch(path: Path, folder: Path, stop: Event) -> Thread:
    """Start a thread that looks at the file once a minute and keeps the record."""

    def watch_file() -> None:
        while not stop.wait(FILE_WATCH_SECONDS):
            try:
                file_guard.check_file(path)
                write_progress_record(path, folder)
            except (DatabaseReplacedError, OSError) as error:
                logger.error("database: %s", error)

    thread = Thread(
        target=watch_file, name="kb.system.database.sqlite_file", daemon=True
    )
    thread.start()
    return thread
