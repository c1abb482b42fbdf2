"""The reasons of failures outside of the program: disk, database, network."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from enum import StrEnum

from django.db import DatabaseError, InterfaceError, OperationalError


class OutageReason(StrEnum):
    """Why the site cannot work; `kb.system.outages` has a message for each."""

    DISK_FULL = "disk_full"
    BUSY = "database_busy"
    READ_ONLY = "read_only"
    UNREACHABLE = "database_unreachable"
    REPLACED = "database_replaced"
    DAMAGED = "database_damaged"
    OUTDATED = "database_outdated"


class DatabaseUnavailableError(OperationalError):
    """The server did not answer a moment ago, so it was not asked again."""


class DatabaseTimeoutError(OperationalError):
    """An operation was ended because it took too long."""


class DatabaseReplacedError(OperationalError):
    """The database file was removed or replaced while the site was running."""


# PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html
_REASONS_BY_SQLSTATE = {
    "53100": OutageReason.DISK_FULL,
    "25006": OutageReason.READ_ONLY,
    "42P01": OutageReason.OUTDATED,  # undefined table
    "42703": OutageReason.OUTDATED,  # undefined column
    "XX001": OutageReason.DAMAGED,
    "XX002": OutageReason.DAMAGED,
}
_REASONS_BY_SQLSTATE_CLASS = {
    "08": OutageReason.UNREACHABLE,  # connection exception
    "40": OutageReason.BUSY,  # deadlock, serialization failure
    "53": OutageReason.BUSY,  # too many connections, out of memory
    "55": OutageReason.BUSY,  # lock not available
    "57": OutageReason.UNREACHABLE,  # shutdown, crash, starting up
}
_QUERY_CANCELED = "57014"  # statement_timeout
# SQLite: https://www.sqlite.org/rescode.html, by the name that Python gives.
_REASONS_BY_SQLITE_NAME = {
    "SQLITE_FULL": OutageReason.DISK_FULL,
    "SQLITE_BUSY": OutageReason.BUSY,
    "SQLITE_LOCKED": OutageReason.BUSY,
    "SQLITE_READONLY": OutageReason.READ_ONLY,
    "SQLITE_CANTOPEN": OutageReason.UNREACHABLE,
    "SQLITE_IOERR": OutageReason.UNREACHABLE,
    "SQLITE_CORRUPT": OutageReason.DAMAGED,
    "SQLITE_NOTADB": OutageReason.DAMAGED,
}
_SQLITE_OUTDATED_MESSAGES = ("no such table", "no such column", "has no column named")
_REASONS_BY_ERRNO = {
    errno.ENOSPC: OutageReason.DISK_FULL,
    errno.EDQUOT: OutageReason.DISK_FULL,
    errno.EROFS: OutageReason.READ_ONLY,
}


def find_outage_reason(error: BaseException | None) -> OutageReason | None:
    """Return the outage behind `error`; None if it is an error of the program."""
    for cause in _iter_causes(error):
        if reason := _classify_error(cause):
            return reason
    return None


def _iter_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and its chain of causes and contexts."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _classify_error(error: BaseException) -> OutageReason | None:
    if isinstance(error, DatabaseReplacedError):
        return OutageReason.REPLACED
    if isinstance(error, DatabaseTimeoutError):
        return OutageReason.BUSY
    if isinstance(error, DatabaseUnavailableError):
        return OutageReason.UNREACHABLE
    if isinstance(error, OSError):
        return _REASONS_BY_ERRNO.get(error.errno or 0)
    if isinstance(error, DatabaseError | InterfaceError):
        return _classify_database_error(error)
    return None


def _classify_database_error(error: Exception) -> OutageReason | None:
    cause = error.__cause__
    if (name := getattr(cause, "sqlite_errorname", None)) is not None:
        return _classify_sqlite_error(name, str(cause))
    if (state := getattr(cause, "sqlstate", None)) is not None:
        return _classify_postgresql_error(state)
    # The error of a broken connection has no code.
    is_broken = isinstance(error, OperationalError | InterfaceError)
    return OutageReason.UNREACHABLE if is_broken and cause is not None else None


def _classify_sqlite_error(name: str, message: str) -> OutageReason | None:
    if any(part in message for part in _SQLITE_OUTDATED_MESSAGES):
        return OutageReason.OUTDATED
    # Extended names begin with the basic one: SQLITE_READONLY_DBMOVED.
    basic = "_".join(name.split("_")[:2])
    return _REASONS_BY_SQLITE_NAME.get(basic)


def _classify_postgresql_error(state: str) -> OutageReason | None:
    if state == _QUERY_CANCELED:
        return OutageReason.BUSY
    return _REASONS_BY_SQLSTATE.get(state) or _REASONS_BY_SQLSTATE_CLASS.get(state[:2])
