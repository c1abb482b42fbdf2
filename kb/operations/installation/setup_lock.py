"""A lock that allows one set-up at a time, on this machine and on a database."""

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
DATABASE_LOCK_ID = 5_318_008_521  # of a PostgreSQL advisory lock; an arbitrary number
LOCK_RETRY_SECONDS = 0.2


class SetupRunningError(Exception):
    """Another set-up held the lock for the whole waiting time."""


@contextmanager
def hold_setup_lock(wait_seconds: float) -> Iterator[None]:
    """Hold the lock in the block. Raises SetupRunningError after `wait_seconds`."""
    deadline = time.monotonic() + wait_seconds
    with (Path(settings.DATA_DIR) / LOCK_FILE_NAME).open("w") as file:
        _wait_for_lock(lambda: _lock_file(file), deadline)
        if connection.vendor == "postgresql":  # shared with other machines
            _wait_for_lock(_lock_database, deadline)
        try:
            yield
        finally:
            if connection.vendor == "postgresql":
                _unlock_database()


def _wait_for_lock(lock: Callable[[], bool], deadline: float) -> None:
    while not lock():
        if time.monotonic() > deadline:
            raise SetupRunningError
        time.sleep(LOCK_RETRY_SECONDS)


def _lock_file(file: IO[str]) -> bool:
    try:
        fcntl.flock(
            file, fcntl.LOCK_EX | fcntl.LOCK_NB
        )  # released when the file is closed
    except BlockingIOError:
        return False
    return True


def _lock_database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [DATABASE_LOCK_ID])
        return bool(cursor.fetchone()[0])


def _unlock_database() -> None:
    """Release the lock, also on a new connection, which does not hold it any more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
