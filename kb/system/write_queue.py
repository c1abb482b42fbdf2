"""Facts of reading, written by one thread a process, so that no page waits for a lock.

A page that was searched or read leaves a fact: a small write that nobody waits for.
While an import holds the write lock of SQLite, or the database is down, facts wait
here. Facts in memory are lost when a process is killed; a process that ends writes
them first.
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

MAX_WAITING_FACTS = 10_000  # that wait; a fact is some 1 kB
FACTS_PER_TRANSACTION = 200  # facts in one transaction
GATHER_SECONDS = 0.2  # seconds in which facts join a batch
RETRY_DELAY_SECONDS = 1.0  # seconds between two tries while the database takes nothing
MAX_BATCH_TRIES = 300  # of a batch, after which its facts are tried one by one
DELAYED_WRITE_SECONDS = 3.0  # seconds after which a fact is tried once more
LOG_REPEAT_SECONDS = 60.0  # seconds between two lines about the same trouble
CLOSE_TIMEOUT_SECONDS = 5.0  # seconds that a process which ends waits for its facts
logger = logging.getLogger(__name__)
# It may run again when a transaction fails, so it must make its rows itself.
WriteCall = Callable[[], object]


class WriteQueue:
    """A bounded queue and the thread that empties it, started with the first fact."""

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
        """Have `write` called soon, after the transaction that is under way.

        Returns at once and never raises a DatabaseError. When the queue is full the
        fact is dropped and counted.
        """
        if not settings.KB_QUEUE_FACTS:
            _write_now(write)
        elif connection.in_atomic_block:
            transaction.on_commit(lambda: self._add_fact(write))
        else:  # without a connection, which a database that is down would refuse
            self._add_fact(write)

    def put_later(self, write: WriteCall) -> None:
        """Have `write` called in some seconds. For facts that refer to another one."""
        if settings.KB_QUEUE_FACTS:
            with self._changed:
                due = time.monotonic() + DELAYED_WRITE_SECONDS
                heapq.heappush(self._delayed_writes, (due, next(self._numbers), write))
                self._changed.notify_all()

    def call_before_close(self, call: Callable[[], None]) -> None:
        """Have `call` put what it still counts, before the process ends."""
        self._before_close.append(call)

    def flush(self, timeout: float = CLOSE_TIMEOUT_SECONDS) -> bool:
        """Wait until all facts are written; return whether they are."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, timeout)

    def close(self, timeout: float = CLOSE_TIMEOUT_SECONDS) -> bool:
        """Write what waits and end the thread; return whether all was written."""
        for call in self._before_close:
            call()
        with self._changed:
            thread, self._closing = self._thread, True
            self._changed.notify_all()
        if thread is not None:
            thread.join(timeout)
        with self._changed:
            self._closing = False
            left = len(self._facts) + self._writing
        if left:
            logger.warning("facts: %d are lost, the database takes none", left)
        return not left

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
        """Return the facts to be written next; none when the thread is to end."""
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
        """Write `batch`, all in one transaction; try again while nothing is taken."""
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
            except Exception as error:  # noqa: BLE001 - one bad fact must not stop the others
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
    """Write in the calling thread. The tests see a fact as soon as its page is there."""
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
