"""Cache backends that store JSON instead of pickles, and fail quickly.

Write access to a cache of pickles is code execution in the web workers.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from django.core.cache.backends import redis as django_redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

CACHE_TIMEOUT_SECONDS = 0.3  # for a connection, an answer or a lock
BREAKER_PAUSE_SECONDS = 5.0  # in which a server that failed is not called
MAX_CACHE_ROWS = 100_000  # in the file; about 10 MB


class CacheUnavailableError(OSError):
    """The cache does not answer, or cannot be written."""


class JsonSerializer:
    """Serializes values of RedisCache as JSON; integers stay countable by Redis."""

    def dumps(self, value: object) -> str | int:
        return value if type(value) is int else json.dumps(value)

    def loads(self, data: bytes) -> Any:
        """Return the value, or None for data that is not JSON."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None


# Redis ---------------------------------------------------------------------------


class CacheCircuitBreaker:
    """Fails calls to a server at once for BREAKER_PAUSE_SECONDS after it failed.

    Then one call tries the server again, while all others still fail at once. So a
    server that hangs costs a process one timeout in BREAKER_PAUSE_SECONDS.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_open = False
        self._retry_at = 0.0

    def call_server(
        self, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Return what `function` returns; raises CacheUnavailableError."""
        with self._lock:
            now = time.monotonic()
            if self._is_open:
                if now < self._retry_at:
                    raise CacheUnavailableError("the server failed a moment ago")
                self._retry_at = now + BREAKER_PAUSE_SECONDS
        try:
            result = function(*args, **kwargs)
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            with self._lock:
                self._is_open = True
                self._retry_at = time.monotonic() + BREAKER_PAUSE_SECONDS
            raise CacheUnavailableError(str(error)) from error
        except RedisError as error:
            raise CacheUnavailableError(str(error)) from error
        with self._lock:
            self._is_open = False
        return result


# By server, shared by the cache objects of all threads.
_breakers: dict[str, CacheCircuitBreaker] = {}


class RedisCache(django_redis.RedisCache):
    """Django's Redis cache with JSON values, short timeouts and a circuit breaker."""

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        options = {
            "socket_connect_timeout": CACHE_TIMEOUT_SECONDS,
            "socket_timeout": CACHE_TIMEOUT_SECONDS,
            "retry": Retry(NoBackoff(), 0),
            **params.get("OPTIONS", {}),
            "serializer": JsonSerializer,
        }
        super().__init__(server, {**params, "OPTIONS": options})
        self._breaker = _breakers.setdefault(str(server), CacheCircuitBreaker())

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._breaker.call_server(super().add, *args, **kwargs))

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._breaker.call_server(super().get, *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._breaker.call_server(super().set, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._breaker.call_server(super().touch, *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._breaker.call_server(super().delete, *args, **kwargs))

    def get_many(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(self._breaker.call_server(super().get_many, *args, **kwargs))

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._breaker.call_server(super().has_key, *args, **kwargs))

    def incr(self, *args: Any, **kwargs: Any) -> int:
        return int(self._breaker.call_server(super().incr, *args, **kwargs))

    def set_many(self, *args: Any, **kwargs: Any) -> list[Any]:
        return list(self._breaker.call_server(super().set_many, *args, **kwargs))

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._breaker.call_server(super().delete_many, *args, **kwargs)

    def clear(self) -> None:
        self._breaker.call_server(super().clear)


# A file --------------------------------------------------------------------------

# Connections of the parent process, kept so that they are not closed here.
_inherited_connections: list[sqlite3.Connection | None] = []


class FileCache(BaseCache):
    """JSON values in one SQLite file, shared by the processes of a machine.

    `incr` is atomic, unlike that of Django's file cache. The file may be lost: a damaged
    one is replaced by an empty one.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        options = params.get("OPTIONS", {})
        self._max_rows = int(options.get("MAX_ENTRIES", MAX_CACHE_ROWS))
        self._folder = Path(location)
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    def add(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        name, now = self.make_and_validate_key(key, version=version), time.time()
        with self._open_transaction() as database:
            if self._read_row(database, name, now) is not None:
                return False
            self._write_row(database, name, value, timeout)
        return True

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        name = self.make_and_validate_key(key, version=version)
        with self._open_database() as database:
            text = self._read_row(database, name, time.time())
        if text is None:
            return default
        try:
            return json.loads(text)
        except ValueError:
            return default

    def set(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        name = self.make_and_validate_key(key, version=version)
        with self._open_transaction() as database:
            self._write_row(database, name, value, timeout)

    def touch(
        self,
        key: str,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        name = self.make_and_validate_key(key, version=version)
        end = self.get_backend_timeout(timeout)
        with self._open_transaction() as database:
            cursor = database.execute(
                "UPDATE entries SET ends = ?1 WHERE name = ?2 AND"
                " (ends IS NULL OR ends > ?3)",
                (end, name, time.time()),
            )
        return cursor.rowcount > 0

    def delete(self, key: str, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version=version)
        with self._open_transaction() as database:
            cursor = database.execute("DELETE FROM entries WHERE name = ?", (name,))
        return cursor.rowcount > 0

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add `delta` and keep the expiry; raises ValueError for a missing key."""
        name = self.make_and_validate_key(key, version=version)
        with self._open_transaction() as database:
            text = self._read_row(database, name, time.time())
            if text is None:
                raise ValueError(f"Key {key!r} not found")
            value = int(json.loads(text)) + delta
            database.execute(
                "UPDATE entries SET value = ? WHERE name = ?", (str(value), name)
            )
        return value

    def clear(self) -> None:
        with self._open_transaction() as database:
            database.execute("DELETE FROM entries")

    def _read_row(
        self, database: sqlite3.Connection, name: str, now: float
    ) -> str | None:
        row = database.execute(
            "SELECT value FROM entries WHERE name = ? AND (ends IS NULL OR ends > ?)",
            (name, now),
        ).fetchone()
        return str(row[0]) if row else None

    def _write_row(
        self, database: sqlite3.Connection, name: str, value: Any, timeout: Any
    ) -> None:
        end = self.get_backend_timeout(timeout)
        cursor = database.execute(
            "INSERT OR REPLACE INTO entries (name, value, ends) VALUES (?, ?, ?)",
            (name, json.dumps(value), end),
        )
        if (cursor.lastrowid or 0) % 100 == 0:
            self._delete_surplus_rows(database)

    def _delete_surplus_rows(self, database: sqlite3.Connection) -> None:
        """Delete expired rows, and those that expire first if there are too many."""
        database.execute("DELETE FROM entries WHERE ends <= ?", (time.time(),))
        (count,) = database.execute("SELECT COUNT(*) FROM entries").fetchone()
        if count > self._max_rows:
            database.execute(
                "DELETE FROM entries WHERE name IN"
                " (SELECT name FROM entries ORDER BY ends LIMIT ?)",
                (count - self._max_rows + self._max_rows // 3,),
            )

    @contextmanager
    def _open_transaction(self) -> Iterator[sqlite3.Connection]:
        with self._open_database() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    @contextmanager
    def _open_database(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection of this process; raises CacheUnavailableError."""
        try:
            if self._process != os.getpid():
                _inherited_connections.append(self._connection)
                self._connection, self._process = None, os.getpid()
            if self._connection is None:
                self._connection = self._connect_database()
            yield self._connection
        except (sqlite3.Error, OSError) as error:
            self._connection = None
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(
                error, sqlite3.OperationalError
            ):
                self._remove_files()
            raise CacheUnavailableError(str(error)) from error

    def _connect_database(self) -> sqlite3.Connection:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = sqlite3.connect(
            self._folder / "cache.sqlite3",
            timeout=CACHE_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        os.chmod(self._folder / "cache.sqlite3", 0o600)
        for old in self._folder.glob("*.djcache"):  # pickles of an earlier version
            old.unlink(missing_ok=True)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(
            "PRAGMA synchronous=OFF"
        )  # losing writes in a power cut is acceptable
        database.execute(
            "CREATE TABLE IF NOT EXISTS entries"
            " (name TEXT PRIMARY KEY, value TEXT NOT NULL, ends REAL)"
        )
        database.execute("CREATE INDEX IF NOT EXISTS ending ON entries (ends)")
        return database

    def _remove_files(self) -> None:
        for path in self._folder.glob("cache.sqlite3*"):
            path.unlink(missing_ok=True)
