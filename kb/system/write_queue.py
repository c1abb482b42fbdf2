"""A queue of small writes, emptied by one thread of each process.

Searches and page views leave facts: small writes for which no request waits. While an
import holds the write lock of SQLite, or the database is down, facts wait here. They
are lost if the process is killed; a process that ends normally writes them first.
"""

from __future__ import annotations

import atexit
import heapq
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from threading import Condition, Thread

from django.conf import settings
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)

MAX_WAITING_FACTS = 10_000  # some 1 kB each
FACTS_PER_TRANSACTION = 200
GATHER_SECONDS = 0.2  # in which facts join a batch
RETRY_DELAY_SECONDS = 1.0  # between two tries while the database refuses writes
MAX_BATCH_TRIES = 300  # then the facts of the batch are written one by one
DELAYED_WRITE_SECONDS = 3.0  # of `put_later`
LOG_REPEAT_SECONDS = 60.0  # between two log lines about the same problem
CLOSE_TIMEOUT_SECONDS = 5.0  # for which a process that ends waits for its facts
logger = logging.getLogger(__name__)
# A call may be repeated after a failed transaction, so it must create its rows itself.
WriteCall = Callable[[], object]


class WriteQueue:
    """A bounded queue, and the thread that empties it. The first fact starts the thread."""

    def __init__(self, max_facts: int = MAX_WAITING_FACTS) -> None:
        self.max_facts = max_facts
        self._before_close: list[Callable[[], None]] = []
        self._reset_state()

    def _reset_state(self) -> None:
        self._changed = Condition()
        self._facts: deque[WriteCall] = deque()
        self._delayed_writes: list[tuple[float, int, WriteCall]] = []
        self._numbers = count()
        self._thread: Thread | None = None
        self._writing = 0
        self._closing = False
        self._dropped = 0
        self._logged_at: dict[str, float] = {}

    def put(self, write: WriteCall) -> None:
        """Call `write` soon, in the thread; after the commit of a current transaction.

        Returns at once and never raises a DatabaseError. If the queue is full, the fact
        is dropped and counted.
        """
        if not settings.KB_QUEUE_FACTS:
            _write_now(write)
        elif connection.in_atomic_block:
            transaction.on_commit(lambda: self._add_fact(write))
        else:  # no connection is opened, because the database may be down
            self._add_fact(write)

    def put_later(self, write: WriteCall) -> None:
        """Call `write` after DELAYED_WRITE_SECONDS, for facts that refer to another one."""
        if settings.KB_QUEUE_FACTS:
            with self._changed:
                due = time.monotonic() + DELAYED_WRITE_SECONDS
                heapq.heappush(self._delayed_writes, (due, next(self._numbers), write))
                self._changed.notify_all()

    def call_before_close(self, call: Callable[[], None]) -> None:
        """Call `call` before the process ends, so that it can add its last facts."""
        self._before_close.append(call)

    def flush(self, timeout: float = CLOSE_TIMEOUT_SECONDS) -> bool:
        """Wait until all facts are written; return False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, timeout)

    def close(self, timeout: float = CLOSE_TIMEOUT_SECONDS) -> bool:
        """Write all facts and end the thread; return whether all were written."""
        for call in self._before_close:
            call()
        with self._changed:
            thread, self._closing = self._thread, True
            self._changed.notify_all()
        if thread is not None:
            thread.join(timeout)
        with self._changed:
            self._closing = False
            lost = len(self._facts) + self._writing
        if lost:
            logger.warning("facts: %d are lost, the database takes none", lost)
        return not lost

    def _is_idle(self) -> bool:
        return not (self._facts or self._writing)

    def _add_fact(self, write: WriteCall) -> None:
        with self._changed:
            if len(self._facts) >= self.max_facts:
                self._dropped += 1
                self._log_rarely("facts: %d dropped, the queue is full", self._dropped)
                return
            self._facts.append(write)
            if self._thread is None:
                self._thread = Thread(
                    target=self._run_writer, name="kb.facts", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def _run_writer(self) -> None:
        while batch := self._take_batch():
            try:
                self._write_batch(batch)
            finally:
                connection.close()
                with self._changed:
                    self._writing = 0
                    self._changed.notify_all()

    def _take_batch(self) -> list[WriteCall]:
        """Wait for facts and return the next batch; [] if the thread has to end."""
        with self._changed:
            while not (self._facts or self._closing):
                wait = (
                    self._delayed_writes[0][0] - time.monotonic()
                    if self._delayed_writes
                    else None
                )
                if wait is not None and wait <= 0:
                    break
                self._changed.wait(wait)
            if not self._closing:
                self._changed.wait_for(lambda: self._closing, GATHER_SECONDS)
            now = time.monotonic()
            while self._delayed_writes and (
                self._closing or self._delayed_writes[0][0] <= now
            ):
                self._facts.append(heapq.heappop(self._delayed_writes)[2])
            size = min(FACTS_PER_TRANSACTION, len(self._facts))
            batch = [self._facts.popleft() for _ in range(size)]
            self._writing = len(batch)
            if not batch:
                self._thread = None
            return batch

    def _write_batch(self, batch: list[WriteCall]) -> None:
        """Write `batch` in one transaction; repeat while the database refuses writes."""
        for _ in range(MAX_BATCH_TRIES):
            try:
                with transaction.atomic():
                    for write in batch:
                        write()
            except (OperationalError, InterfaceError) as error:
                reason: Exception = error
                waiting = len(batch) + len(self._facts)
                self._log_rarely("facts: %d wait for the database: %s", waiting, error)
                connection.close()
                time.sleep(RETRY_DELAY_SECONDS)
            except Exception as error:  # noqa: BLE001 - one bad fact must not stop the rest
                reason = error
                break
            else:
                return
        if len(batch) == 1:
            logger.warning("facts: one was refused: %r", reason)
            return
        for write in batch:
            self._write_batch([write])

    def _log_rarely(self, message: str, *values: object) -> None:
        now = time.monotonic()
        if (
            now - self._logged_at.get(message, -LOG_REPEAT_SECONDS)
            >= LOG_REPEAT_SECONDS
        ):
            self._logged_at[message] = now
            logger.warning(message, *values)


def _write_now(write: WriteCall) -> None:
    """Write in the calling thread, for tests, which look at the rows at once."""
    try:
        with transaction.atomic():
            write()
    except DatabaseError as error:
        logger.warning("facts: one was refused: %s", error)


fact_queue = WriteQueue()
enqueue_write, enqueue_delayed_write, close_write_queue = (
    fact_queue.put,
    fact_queue.put_later,
    fact_queue.close,
)
os.register_at_fork(after_in_child=fact_queue._reset_state)
atexit.register(close_write_queue)
