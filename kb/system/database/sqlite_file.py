"""Checks of the SQLite file: the same file as before, undamaged, with its own log.

SQLite keeps committed pages in `<file>-wal` until it moves them into the file. If an
older copy of the file is put beside a newer log, the log damages it, and SQLite does
not notice. So a small record in DATA_DIR says how far the file itself has come.
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

MAX_FILE_CHECK_SECONDS = 5.0  # of the check of the whole file at the start
CHECK_INSTRUCTIONS = 100_000  # of SQLite, between two checks of the time
FILE_WATCH_SECONDS = 60.0  # between two checks of the file
RECORD_FILE_NAME = "database.json"  # in DATA_DIR

logger = logging.getLogger(__name__)


class DatabaseFileGuard:
    """Remembers the file with which the process started, and refuses any other one.

    It is on in all processes of a running site, which neither create the file nor
    use another one. Commands may do both.
    """

    def __init__(self) -> None:
        self.is_on = False
        self._known: dict[str, tuple[int, int]] = {}

    def remember_file(self, path: str | Path) -> None:
        """Take the present file as the right one."""
        self._known[str(path)] = _get_file_identity(path)

    def check_file(self, path: str | Path) -> None:
        """Raise DatabaseReplacedError if the file is missing or another one."""
        known = self._known.get(str(path))
        if known is None:
            self.remember_file(path)
        elif _get_file_identity(path) != known:
            raise DatabaseReplacedError(
                f"{path} was replaced while the site was running"
            )


def _get_file_identity(path: str | Path) -> tuple[int, int]:
    try:
        status = os.stat(path)  # for every statement; Path.stat is slower
    except FileNotFoundError:
        raise DatabaseReplacedError(f"{path} does not exist") from None
    return status.st_dev, status.st_ino


file_guard = DatabaseFileGuard()


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How far the file itself has come, without its log. Both numbers only grow."""

    migrations: int  # id of the newest row in django_migrations
    rows: int  # ever inserted, in all tables


def read_file_progress(path: Path) -> FileProgress | None:
    """Return the progress of the file without its log; None if it cannot be read."""
    address = f"file:{quote(str(path))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            numbers = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
    except sqlite3.Error:  # possible while pages are moved into the file
        return None
    return FileProgress(numbers.get("django_migrations", 0), sum(numbers.values()))


class FileFault(StrEnum):
    MISSING = "missing"
    MIXED = "mixed"  # an older copy beside a newer log
    DAMAGED = "damaged"


def find_file_fault(path: Path, folder: Path) -> tuple[FileFault, str] | None:
    """Return why the file must not be served, and a message; None if it may be.

    `folder` holds the record of `write_progress_record`.
    """
    if not path.is_file():
        return FileFault.MISSING, f"数据库文件 {path} 不存在。"
    if _is_older_than_log(path, folder):
        message = (
            f"{path} 是一份较旧的副本，旁边的 {path.name}-wal 却是后来的，"
            "放在一起会损坏数据库。"
        )
        return FileFault.MIXED, message
    if damage := find_file_damage(path):
        return FileFault.DAMAGED, f"数据库文件 {path} 已损坏（{damage}）。"
    return None


def _is_older_than_log(path: Path, folder: Path) -> bool:
    """Return whether the file is behind the record, and a log lies beside it."""
    log = path.with_name(f"{path.name}-wal")
    if not log.is_file() or not log.stat().st_size:
        return False
    recorded, current = read_progress_record(folder), read_file_progress(path)
    if recorded is None or current is None:
        return False
    if current.migrations > recorded.migrations:
        return False
    return current != recorded and current.rows < recorded.rows


def find_file_damage(path: Path, seconds: float = MAX_FILE_CHECK_SECONDS) -> str:
    """Return the first error of `PRAGMA quick_check`; "" if none within `seconds`."""
    deadline = monotonic() + seconds
    address = f"file:{quote(str(path))}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.set_progress_handler(
                lambda: monotonic() > deadline, CHECK_INSTRUCTIONS
            )
            result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:  # too large, locked, read-only
        logger.warning("%s: not checked to the end: %s", path, error)
        return ""
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if result == "ok" else str(result)


def read_progress_record(folder: Path) -> FileProgress | None:
    """Return the recorded progress; None without a valid record."""
    try:
        return FileProgress(
            **json.loads((folder / RECORD_FILE_NAME).read_text("utf-8"))
        )
    except (OSError, ValueError, TypeError):
        return None


def write_progress_record(path: Path | None, folder: Path) -> None:
    """Record the progress of the file, and that this data folder is in use.

    Without `path`, for a database server, only the latter.
    """
    recorded = read_progress_record(folder)
    progress = read_file_progress(path) if path else None
    if progress is None and recorded is None:  # only that the folder is in use
        progress = FileProgress(0, 0)
    if progress is None or progress == recorded:
        return
    partial = folder / f".{RECORD_FILE_NAME}.{os.getpid()}"
    partial.write_text(json.dumps(asdict(progress)), "utf-8")
    partial.replace(folder / RECORD_FILE_NAME)


def start_file_watch(path: Path, folder: Path, stop: Event) -> Thread:
    """Start a thread that checks the file once a minute and updates the record."""

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
