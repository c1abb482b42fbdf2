"""Time limits of the database operations of requests.

The time-outs of PostgreSQL are applied by the server. A frozen server applies none,
and its machine still acknowledges packets, so no time-out of TCP helps. Therefore a
thread of each process watches the running operations and shuts down the socket of
an overdue one, which raises an error in the waiting thread.

Only processes that serve requests have limits; commands have none.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic, sleep

from kb.system.database.errors import DatabaseTimeoutError, DatabaseUnavailableError

WATCH_TICK_SECONDS = 0.1  # between two checks of the running operations
SERVER_SILENCE_SECONDS = 1.5  # without an answer, after which the server is probed
SERVER_PROBE_SECONDS = 0.5  # in which the server has to answer the probe
SERVER_RETRY_SECONDS = 1.0  # after a failure, until the next connection
SERVER_TRIAL_SECONDS = 3.0  # of one request that tries, while the others fail at once
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # PostgreSQL answers with one byte

_bound_seconds: ContextVar[float | None] = ContextVar("bound", default=None)
_serving = Event()  # set in processes that serve requests, and in their children


def start_serving() -> None:
    """Apply limits in this process and in its children."""
    _serving.set()


def stop_serving() -> None:
    """Remove the limits, for a background process.

    Open connections keep theirs; close them before.
    """
    _serving.clear()


def is_serving() -> bool:
    return _serving.is_set()


@contextmanager
def limit_time(seconds: float) -> Iterator[None]:
    """Limit every operation of the block to `seconds`.

    Only PostgreSQL applies it: reads of SQLite do not wait.
    """
    token = _bound_seconds.set(seconds)
    try:
        yield
    finally:
        _bound_seconds.reset(token)


@dataclass(slots=True, eq=False)
class Operation:
    """A running operation: a statement, a commit or a check. Times are monotonic."""

    socket: socket.socket
    deadline: float
    started_at: float = field(default_factory=monotonic)
    probed_at: float = 0.0
    is_expired: bool = False


class OperationWatcher:
    """Ends operations that take too long, in one thread that starts when needed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._operations: set[Operation] = set()
        self._is_busy = Event()
        self._thread: Thread | None = None

    @contextmanager
    def watch_operation(
        self, connection: socket.socket, seconds: float
    ) -> Iterator[Operation]:
        """Shut down `connection` if the block takes longer than `seconds`.

        Raises DatabaseTimeoutError in place of the error that follows.
        """
        bound = _bound_seconds.get()
        limit = seconds if bound is None else min(seconds, bound)
        operation = Operation(connection, monotonic() + limit)
        with self._lock:
            self._operations.add(operation)
            if self._thread is None:
                self._start_thread()
        self._is_busy.set()
        try:
            yield operation
        except Exception as error:
            if operation.is_expired:
                raise DatabaseTimeoutError(
                    "the database did not answer in time"
                ) from error
            raise
        finally:
            with self._lock:
                self._operations.discard(operation)

    def _start_thread(self) -> None:
        self._thread = Thread(
            target=self._run_thread, name="kb.system.database.time_limits", daemon=True
        )
        self._thread.start()

    def _run_thread(self) -> None:
        while True:
            self._is_busy.wait()
            sleep(WATCH_TICK_SECONDS)
            self._end_overdue(monotonic())
            self._end_unanswered(monotonic())
            with self._lock:
                if not self._operations:
                    self._is_busy.clear()

    def _end_overdue(self, now: float) -> None:
        with self._lock:
            for operation in self._operations:
                if operation.deadline <= now:
                    _end_operation(operation)

    def _end_unanswered(self, now: float) -> None:
        """End operations that wait for a server that does not answer a probe."""
        with self._lock:
            waiting = [
                operation
                for operation in self._operations
                if now - operation.started_at > SERVER_SILENCE_SECONDS
                and now - operation.probed_at > SERVER_SILENCE_SECONDS
            ]
            for operation in waiting:
                operation.probed_at = now
        if not waiting or is_server_answering(waiting[0].socket):
            return
        database_breaker.record_failure()
        with self._lock:
            for operation in self._operations & set(waiting):
                _end_operation(operation)


def _end_operation(operation: Operation) -> None:
    if operation.is_expired:
        return
    operation.is_expired = True
    try:
        operation.socket.shutdown(socket.SHUT_RDWR)
    except OSError:  # the connection is already broken
        return


def is_server_answering(connection: socket.socket) -> bool:
    """Return whether the server of `connection` answers a new connection."""
    try:
        with socket.socket(connection.family, socket.SOCK_STREAM) as probe:
            probe.settimeout(SERVER_PROBE_SECONDS)
            probe.connect(connection.getpeername())
            probe.sendall(_SSL_REQUEST)
            return bool(probe.recv(1))
    except OSError:
        return False


class DatabaseBreaker:
    """A circuit breaker: requests fail at once while the server does not answer.

    One request at a time tries whether it answers again.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._closed_until = 0.0  # monotonic; 0 while the server answers

    def require_answering(self) -> None:
        """Raise DatabaseUnavailableError unless a connection may be tried now."""
        now = monotonic()
        with self._lock:
            if not self._closed_until:
                return
            if now < self._closed_until:
                raise DatabaseUnavailableError(
                    "the database did not answer a moment ago"
                )
            self._closed_until = now + SERVER_TRIAL_SECONDS

    def record_failure(self) -> None:
        """Record that the server did not answer."""
        with self._lock:
            self._closed_until = monotonic() + SERVER_RETRY_SECONDS

    def record_answer(self) -> None:
        """Record that the server answered."""
        with self._lock:
            self._closed_until = 0.0


operation_watcher = OperationWatcher()
database_breaker = DatabaseBreaker()


def _reset_after_fork() -> None:
    """Start anew in a child process: it has no thread, and locks may be held for ever."""
    global operation_watcher, database_breaker
    operation_watcher, database_breaker = OperationWatcher(), DatabaseBreaker()


os.register_at_fork(after_in_child=_reset_after_fork)
