"""Database settings from the variables DATABASE_URL, DB_LOCK_SECONDS and so on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.environment import env, read_whole_number, stop_with_message

SQLITE_ENGINE, POSTGRESQL_ENGINE = (
    "kb.system.database.sqlite",
    "kb.system.database.postgresql",
)
CONNECT_TIMEOUT_SECONDS = 2  # the minimum of psycopg
MAX_CONNECTION_AGE_SECONDS = 600  # an older connection is replaced
# With these, a connection to a server that vanished is closed within half a minute.
KEEPALIVE_OPTIONS = {
    "keepalives": 1,
    "keepalives_idle": 10,  # seconds
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds without acknowledgement
}


def read_database_settings(data_dir: Path) -> dict[str, Any]:
    """Return DATABASES["default"]; options in the URL take precedence."""
    database: dict[str, Any] = env.db_url(
        "DATABASE_URL", f"sqlite:///{data_dir}/kb.sqlite3"
    )
    if is_sqlite(database):
        return _make_sqlite_settings(database)
    return _make_postgresql_settings(database)


def is_sqlite(database: dict[str, Any]) -> bool:
    return database["ENGINE"] in {"django.db.backends.sqlite3", SQLITE_ENGINE}


def read_lock_seconds(database: dict[str, Any]) -> int:
    """Return for how many seconds a request waits for a lock.

    On SQLite all writes wait for one lock, so the default is longer.
    """
    return read_whole_number("DB_LOCK_SECONDS", 5 if is_sqlite(database) else 2, 1, 60)


def read_statement_seconds() -> int:
    """Return how many seconds a statement of a request may take on PostgreSQL."""
    return read_whole_number("DB_STATEMENT_SECONDS", 10, 1, 600)


def _make_sqlite_settings(database: dict[str, Any]) -> dict[str, Any]:
    if not (folder := Path(database["NAME"]).parent).is_dir():
        stop_with_message(f"the folder of DATABASE_URL does not exist: {folder}")
    # CONN_MAX_AGE is None because closing the last connection writes back the whole log,
    # 2 ms for each request. IMMEDIATE takes the write lock at the beginning, so that a
    # transaction that reads before it writes waits instead of failing. With WAL, readers
    # do not wait for writers.
    options = {
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            " PRAGMA cache_size=-20000;"
        ),
    }
    url_options = database.get("OPTIONS", {})
    return database | {
        "ENGINE": SQLITE_ENGINE,
        "CONN_MAX_AGE": None,
        "OPTIONS": options | url_options,
    }


def _make_postgresql_settings(database: dict[str, Any]) -> dict[str, Any]:
    if not database["NAME"]:
        stop_with_message(
            "DATABASE_URL names no database: postgres://user:password@host/name"
        )
    options = KEEPALIVE_OPTIONS | {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
    url_options = dict(database.get("OPTIONS", {}))
    # Each thread keeps its connection: see kb.system.database.postgresql.
    url_options.pop("pool", None)
    return database | {
        "ENGINE": POSTGRESQL_ENGINE,
        "CONN_MAX_AGE": MAX_CONNECTION_AGE_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options | url_options,
    }
