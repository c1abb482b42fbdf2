"""PostgreSQL backend with time limits, which replaces dead connections.

Each thread has a connection of its own. Without a pool, the loss and the return of a
server are noticed at once.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.backends.postgresql import base

from kb.system.database import time_limits
from kb.system.database.errors import DatabaseTimeoutError

USABLE_CHECK_SECONDS = 1.0  # of the check whether a connection still works
SERVER_GRACE_SECONDS = 0.5  # after the time-out of the server, before ours
IDLE_TRANSACTION_SECONDS = 60


class DatabaseWrapper(base.DatabaseWrapper):
    """Limits apply if `time_limits.is_serving()`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watched: socket.socket | None = None
        self.execute_wrappers.append(self._execute_in_time)

    def get_connection_params(self) -> dict[str, Any]:
        """Add the time-outs that the server applies."""
        params = super().get_connection_params()
        if time_limits.is_serving():
            params["options"] = (
                f"{params.get('options', '')} {_make_timeout_options()}".strip()
            )
        return params

    def connect(self) -> None:
        """Connect. Raises DatabaseUnavailableError if the server did not answer lately."""
        if not time_limits.is_serving():
            super().connect()
            return
        time_limits.database_breaker.require_answering()
        try:
            super().connect()
        except (OperationalError, InterfaceError, self.Database.OperationalError):
            time_limits.database_breaker.record_failure()
            self.close()
            raise
        time_limits.database_breaker.record_answer()

    def init_connection_state(self) -> None:
        self._forget_socket()  # of a connection that broke in a transaction
        if self.connection is not None and time_limits.is_serving():
            # A duplicate: the number of a closed descriptor may be used again.
            self._watched = socket.socket(fileno=os.dup(self.connection.fileno()))
        with self._limit_time(USABLE_CHECK_SECONDS):
            super().init_connection_state()

    def close(self) -> None:
        super().close()
        if self.connection is None:
            self._forget_socket()

    def _forget_socket(self) -> None:
        if self._watched is not None:
            self._watched.close()
            self._watched = None

    def commit(self) -> None:
        with self._limit_time():
            super().commit()

    def rollback(self) -> None:
        with self._limit_time():
            super().rollback()

    def is_usable(self) -> bool:
        if self._watched is None:
            return super().is_usable()
        with time_limits.operation_watcher.watch_operation(
            self._watched, USABLE_CHECK_SECONDS
        ) as check:
            is_usable = super().is_usable()
        if check.is_expired:  # a new connection would wait, too
            time_limits.database_breaker.record_failure()
        return is_usable and not check.is_expired

    def _execute_in_time(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        with self._limit_time():
            return execute(sql, params, many, context)

    @contextmanager
    def _limit_time(self, seconds: float | None = None) -> Iterator[None]:
        if self._watched is None:
            yield
            return
        if seconds is None:
            seconds = settings.KB_DB_STATEMENT_SECONDS + SERVER_GRACE_SECONDS
        try:
            with time_limits.operation_watcher.watch_operation(self._watched, seconds):
                yield
        except DatabaseTimeoutError:
            if not self.in_atomic_block:
                self.close()  # the next operation gets a new connection
            raise


def _make_timeout_options() -> str:
    """Return options of a connection; the server counts in milliseconds."""
    seconds = {
        "statement_timeout": settings.KB_DB_STATEMENT_SECONDS,
        "lock_timeout": settings.KB_DB_LOCK_SECONDS,
        "idle_in_transaction_session_timeout": IDLE_TRANSACTION_SECONDS,
    }
    return " ".join(f"-c {name}={value * 1000}" for name, value in seconds.items())
