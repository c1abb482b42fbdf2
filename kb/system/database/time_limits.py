"""How long a database operation of a request may take, and what ends a longer one.

The time-outs of PostgreSQL are kept by the server. A server that is frozen keeps
none, and its machine goes on confirming packets, so no time-out of TCP helps. A
thread of each process therefore watches the operations under way. It shuts the
socket of one that is overdue: who waits for the answer gets an error at once.

Only processes that serve requests have limits. Commands may take their time.
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

WATCH_TICK_SECONDS = 0.1  # between two looks at what is under way
SERVER_SILENCE_SECONDS = 1.5  # after which we look whether the server is alive
SERVER_PROBE_SECONDS = 0.5  # for the server to answer
SERVER_RETRY_SECONDS = 1.0  # before a server that did not answer is asked again
SERVER_TRIAL_SECONDS = 3.0  # for one request to find out, while others fail at once
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # any PostgreSQL answers one byte

_bound_seconds: ContextVar[float | None] = ContextVar("bound", default=None)
_serving = Event()  # set in a process that serves requests, and in what it forks


def start_serving() -> None:
    """Put limits on this process and on what it forks."""
    _serving.set()


def stop_serving() -> None:
    """Lift the limits, for a process that works in the background.

    Connections that are open keep theirs: close them before.
    """
    _serving.clear()


def is_serving() -> bool:
    return _serving.is_set()


@contextmanager
def limit_time(seconds: float) -> Iterator[None]:
    """Let no operation of the block take longer than `seconds`.

    Only PostgreSQL needs it: readers of SQLite wait for nobody.
    """
    token = _bound_seconds.set(seconds)
    try:
        yield
    finally:
        _bound_seconds.reset(token)


@dataclass(slots=True, eq=False)
class Operation:
    """One operation under way: a statement, a commit or a check."""

    socket: socket.socket
    deadline: float
    began: float = field(default_factory=monotonic)
    probed: float = 0.0
    is_expired: bool = False


class OperationWatcher:
    """Ends operations that take too long; one thread, started when it is needed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._operations: set[Operation] = set()
        self._is_busy = Event()
        self._thread: Thread | None = None

    @contextmanager
    def watch_operation(
        self, connection: socket.socket, seconds: float
    ) -> Iterator[Operation]:
        """Shut `connection` when the block takes longer than `seconds`.

        Raises DatabaseTimeout in place of the error that follows.
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
        """End what waits for a server that answers nobody."""
        with self._lock:
            waiting = [
                one
                for one in self._operations
                if now - one.began > SERVER_SILENCE_SECONDS
                and now - one.probed > SERVER_SILENCE_SECONDS
            ]
            for one in waiting:
                one.probed = now
        if not waiting or is_server_answering(waiting[0].socket):
            return
        database_breaker.record_failure()
        with self._lock:
            for one in self._operations & set(waiting):
                _end_operation(one)


def _end_operation(operation: Operation) -> None:
    if operation.is_expired:
        return
    operation.is_expired = True
    try:
        operation.socket.shutdown(socket.SHUT_RDWR)
    except OSError:  # it broke meanwhile
        return


def is_server_answering(connection: socket.socket) -> bool:
    """Tell whether the server at the other end answers a new connection."""
    try:
        with socket.socket(connection.family, socket.SOCK_STREAM) as probe:
            probe.settimeout(SERVER_PROBE_SECONDS)
            probe.connect(connection.getpeername())
            probe.sendall(_SSL_REQUEST)
            return bool(probe.recv(1))
    except OSError:
        return False


class DatabaseBreaker:
    """Lets requests fail at once while the server is known not to answer.

    One request at a time finds out whether it answers again.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._closed_until = 0.0  # monotonic; 0 while the server answers

    def require_answering(self) -> None:
        """Raise DatabaseUnavailable unless the server may be asked now."""
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
        """Note that the server did not answer."""
        with self._lock:
            self._closed_until = monotonic() + SERVER_RETRY_SECONDS

    def record_answer(self) -> None:
        """Note that the server answered."""
        with self._lock:
            self._closed_until = 0.0


operation_watcher = OperationWatcher()
database_breaker = DatabaseBreaker()


def _reset_after_fork() -> None:
    """A forked process has no thread of its parent, and a lock may be held for ever."""
    global operation_watcher, database_breaker
    operation_watcher, database_breaker = OperationWatcher(), DatabaseBreaker()


os.register_at_fork(after_in_child=_reset_after_fork)
