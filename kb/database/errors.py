"""Why a request failed, where the reason lies outside of the program."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from enum import StrEnum

from django.db import DatabaseError, InterfaceError, OperationalError


class Reason(StrEnum):
    """What keeps the site from working; `kb.outages` has the sentence for each."""

    DISK_FULL = "disk_full"
    BUSY = "database_busy"
    READ_ONLY = "read_only"
    UNREACHABLE = "database_unreachable"
    REPLACED = "database_replaced"
    DAMAGED = "database_damaged"
    OUTDATED = "database_outdated"


class DatabaseUnavailable(OperationalError):
    """The server does not answer; it was not asked again so soon."""


class DatabaseTimeout(OperationalError):
    """An operation was ended because it took too long."""


class DatabaseReplaced(OperationalError):
    """The database file was removed or replaced while the site was running."""


# PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html
_SQLSTATES = {
    "53100": Reason.DISK_FULL,
    "25006": Reason.READ_ONLY,
    "42P01": Reason.OUTDATED,  # undefined table
    "42703": Reason.OUTDATED,  # undefined column
    "XX001": Reason.DAMAGED,
    "XX002": Reason.DAMAGED,
}
_SQLSTATE_CLASSES = {
    "08": Reason.UNREACHABLE,  # connection exception
    "40": Reason.BUSY,  # deadlock, serialization failure
    "53": Reason.BUSY,  # too many connections, out of memory
    "55": Reason.BUSY,  # lock not available
    "57": Reason.UNREACHABLE,  # shutdown, crash, starting up
}
_QUERY_CANCELED = "57014"  # statement_timeout
# SQLite: https://www.sqlite.org/rescode.html, by the name that Python gives.
_SQLITE_NAMES = {
    "SQLITE_FULL": Reason.DISK_FULL,
    "SQLITE_BUSY": Reason.BUSY,
    "SQLITE_LOCKED": Reason.BUSY,
    "SQLITE_READONLY": Reason.READ_ONLY,
    "SQLITE_CANTOPEN": Reason.UNREACHABLE,
    "SQLITE_IOERR": Reason.UNREACHABLE,
    "SQLITE_CORRUPT": Reason.DAMAGED,
    "SQLITE_NOTADB": Reason.DAMAGED,
}
_SQLITE_OUTDATED = ("no such table", "no such column", "has no column named")
_ERRNOS = {
    errno.ENOSPC: Reason.DISK_FULL,
    errno.EDQUOT: Reason.DISK_FULL,
    errno.EROFS: Reason.READ_ONLY,
}


def find_reason(error: BaseException | None) -> Reason | None:
    """Return why `error` was raised; None where it is a fault of the program."""
    for one in _chain(error):
        if reason := _reason_of(one):
            return reason
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and what it was raised from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _reason_of(error: BaseException) -> Reason | None:
    if isinstance(error, DatabaseReplaced):
        return Reason.REPLACED
    if isinstance(error, DatabaseTimeout):
        return Reason.BUSY
    if isinstance(error, DatabaseUnavailable):
        return Reason.UNREACHABLE
    if isinstance(error, OSError):
        return _ERRNOS.get(error.errno or 0)
    if isinstance(error, DatabaseError | InterfaceError):
        return _database_reason(error)
    return None


def _database_reason(error: Exception) -> Reason | None:
    cause = error.__cause__
    if (name := getattr(cause, "sqlite_errorname", None)) is not None:
        return _sqlite_reason(name, str(cause))
    if (state := getattr(cause, "sqlstate", None)) is not None:
        return _postgresql_reason(state)
    # A connection that broke carries no code.
    broken = isinstance(error, OperationalError | InterfaceError)
    return Reason.UNREACHABLE if broken and cause is not None else None


def _sqlite_reason(name: str, message: str) -> Reason | None:
    if any(part in message for part in _SQLITE_OUTDATED):
        return Reason.OUTDATED
    # Extended names begin with the basic one: SQLITE_READONLY_DBMOVED.
    basic = "_".join(name.split("_")[:2])
    return _SQLITE_NAMES.get(basic)


def _postgresql_reason(state: str) -> Reason | None:
    if state == _QUERY_CANCELED:
        return Reason.BUSY
    return _SQLSTATES.get(state) or _SQLSTATE_CLASSES.get(state[:2])
