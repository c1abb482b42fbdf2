"""One set-up at a time, on this machine and on one database."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection

LOCK_FILE_NAME = "setup.lock"
DATABASE_LOCK_ID = 5_318_008_521  # any number that only we use
LOCK_RETRY_SECONDS = 0.2


class SetupRunningError(Exception):
    """Another set-up has been at work for all of the time that we waited."""


@contextmanager
def hold_setup_lock(wait_seconds: float) -> Iterator[None]:
    """Keep other set-ups out. Raises SetupRunningError after `wait_seconds`."""
    ends = time.monotonic() + wait_seconds
    with (Path(settings.DATA_DIR) / LOCK_FILE_NAME).open("w") as file:
        _wait_for_lock(lambda: _lock_file(file), ends)
        if connection.vendor == "postgresql":  # another machine may be at it, too
            _wait_for_lock(_lock_database, ends)
        try:
            yield
        finally:
            if connection.vendor == "postgresql":
                _unlock_database()


def _wait_for_lock(lock: Callable[[], bool], ends: float) -> None:
    while not lock():
        if time.monotonic() > ends:
            raise SetupRunningError
        time.sleep(LOCK_RETRY_SECONDS)


def _lock_file(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # closing it gives it back
    except BlockingIOError:
        return False
    return True


def _lock_database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [DATABASE_LOCK_ID])
        return bool(cursor.fetchone()[0])


def _unlock_database() -> None:
    """The lock goes with its connection, which may be another one by now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
