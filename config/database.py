"""The database's settings, read from DATABASE_URL and the DB_… variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.environment import env, read_whole_number, stop_with_message

SQLITE_ENGINE, POSTGRESQL_ENGINE = (
    "kb.system.database.sqlite",
    "kb.system.database.postgresql",
)
CONNECT_TIMEOUT_SECONDS = 2  # for a request; psycopg allows no less
MAX_CONNECTION_AGE_SECONDS = 600  # after which a connection is made anew
# A connection whose other end has gone without a word is noticed within half a minute.
KEEPALIVE_OPTIONS = {
    "keepalives": 1,
    "keepalives_idle": 10,  # seconds
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds that what was sent stays unconfirmed
}


def read_database_settings(data_dir: Path) -> dict[str, Any]:
    """Return DATABASES["default"]; options of the address itself are kept."""
    database: dict[str, Any] = env.db_url(
        "DATABASE_URL", f"sqlite:///{data_dir}/kb.sqlite3"
    )
    if is_sqlite(database):
        return _make_sqlite_settings(database)
    return _make_postgresql_settings(database)


def is_sqlite(database: dict[str, Any]) -> bool:
    return database["ENGINE"] in {"django.db.backends.sqlite3", SQLITE_ENGINE}


def read_lock_seconds(database: dict[str, Any]) -> int:
    """Return how long a request waits for a lock before it gives up.

    On SQLite everything that is written waits for one lock.
    """
    return read_whole_number("DB_LOCK_SECONDS", 5 if is_sqlite(database) else 2, 1, 60)


def read_statement_seconds() -> int:
    """Return how long one statement of a request may take on PostgreSQL."""
    return read_whole_number("DB_STATEMENT_SECONDS", 10, 1, 600)


def _make_sqlite_settings(database: dict[str, Any]) -> dict[str, Any]:
    if not (home := Path(database["NAME"]).parent).is_dir():
        stop_with_message(f"DATABASE_URL lies in a folder that does not exist: {home}")
    # Whoever closes the last connection writes the whole log back: 2 ms a request.
    # IMMEDIATE takes the write lock at once, so that a read-then-write waits its turn
    # instead of failing; WAL lets readers read on.
    options = {
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            " PRAGMA cache_size=-20000;"
        ),
    }
    given = database.get("OPTIONS", {})
    return database | {
        "ENGINE": SQLITE_ENGINE,
        "CONN_MAX_AGE": None,
        "OPTIONS": options | given,
    }


def _make_postgresql_settings(database: dict[str, Any]) -> dict[str, Any]:
    if not database["NAME"]:
        stop_with_message(
            "DATABASE_URL names no database: postgres://user:password@host/name"
        )
    options = KEEPALIVE_OPTIONS | {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
    given = dict(database.get("OPTIONS", {}))
    given.pop("pool", None)  # each thread keeps its connection: kb.database.postgresql
    return database | {
        "ENGINE": POSTGRESQL_ENGINE,
        "CONN_MAX_AGE": MAX_CONNECTION_AGE_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options | given,
    }
