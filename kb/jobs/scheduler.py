"""One process a host that keeps the index up and runs what is due.

The index has a thread of its own, so that it never waits for a long task.
"""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from kb import index
from kb.engines import EngineUnavailable
from kb.index import healing
from kb.jobs import running, tasks
from kb.models import Job

LOOK = 2.0  # seconds between two looks for tasks that are due
SYNC_EVERY = 1.0  # seconds between two looks for marks
HEAL_EVERY = 2.0  # seconds between two checks of the index
STOPPING = 3.0  # seconds for the index to finish a batch
AGAIN = 5.0  # seconds after the database or the engine gave no answer
RETRY = 60.0  # seconds after a rebuild that failed
BEAT_EVERY = 30.0  # seconds between two signs of life
logger = logging.getLogger(__name__)


def serve(stop: Event) -> None:
    """Run until `stop` is set. Waits while another scheduler of this host runs."""
    with _only_one(stop):
        if stop.is_set():
            return
        watcher = watch_index(stop)
        holder = f"{running.SCHEDULER}@{running.host()}"
        looker = Looker(holder)
        try:
            while not stop.is_set():
                looker.look(stop)
                connection.close()
                stop.wait(LOOK)
        finally:
            stop.set()
            watcher.join(STOPPING)
            _say_goodbye()


def _say_goodbye() -> None:
    try:
        running.end_beat()
    except DatabaseError as error:
        logger.warning("jobs: the end was not noted: %s", error)
    finally:
        connection.close()


class Looker:
    """Runs the tasks that are due, one after another."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self._is_first = True
        self._looked_at: dict[str, float] = {}

    def look(self, stop: Event) -> None:
        """Run what is due now. Errors of the database are logged."""
        try:
            if self._is_first:  # what a killed scheduler of this host has left
                running.release_claims(self.holder)
                running.forget_hosts()
                self._is_first = False
            jobs = Job.objects.in_bulk()
            for task in tasks.TASKS:
                if not stop.is_set():
                    self._consider(task, jobs.get(running.job_name(task)))
        except DatabaseError as error:
            logger.warning("jobs: cannot look what is due: %s", error)

    def _consider(self, task: tasks.Task, job: Job | None) -> None:
        if not running.is_due(task, job, timezone.now()):
            return
        requested = job is not None and job.requested_at is not None
        if task.has_work and not requested and not self._has_work(task):
            return
        running.run_task(task, holder=self.holder, job=job)

    def _has_work(self, task: tasks.Task) -> bool:
        """Look for work of `task`, once in the time that it rests."""
        now = time.monotonic()
        looked = self._looked_at.get(task.name)
        if looked is not None and now - looked < task.every.total_seconds():
            return False
        self._looked_at[task.name] = now
        return task.has_work is None or task.has_work()


def watch_index(stop: Event) -> Thread:
    """Start a thread that works off marks, and rebuilds an index that needs it.

    Requests sync what they save. This is for large lots, for entries that begin
    or end, and for what a busy or failing engine left marked.
    """
    watch = IndexWatch(stop)
    thread = Thread(target=watch.run, name="kb.jobs.index", daemon=True)
    thread.start()
    return thread


class IndexWatch:
    """The rounds of the thread that watches the index."""

    def __init__(self, stop: Event) -> None:
        self.stop = stop
        self._steps: dict[str, Callable[[], float]] = {
            "beat": self.beat,
            "heal": self.heal,
            "sync": self.sync,
        }
        self._due = dict.fromkeys(self._steps, 0.0)
        self._failed = False

    def run(self) -> None:
        while not self.stop.is_set():
            for name in self._steps:
                if time.monotonic() >= self._due[name] and not self.stop.is_set():
                    self._due[name] = time.monotonic() + self._try(name)
            self.stop.wait(SYNC_EVERY / 4)

    def _try(self, name: str) -> float:
        """Take one step; return after how many seconds it is to be taken again."""
        try:
            return self._steps[name]()
        except DatabaseError as error:
            logger.warning("index: the database gives no answer: %s", error)
            return AGAIN
        except Exception as error:  # the other steps go on
            expected = isinstance(error, EngineUnavailable | OSError | RuntimeError)
            logger.warning("index: %s failed: %s", name, error, exc_info=not expected)
            self._note(error=str(error)[:500])
            return RETRY
        finally:
            connection.close()

    def beat(self) -> float:
        running.beat()
        return BEAT_EVERY

    def heal(self) -> float:
        if healing.heal(_rebuild):
            self._note(result="索引不可用，已自动重建")
        elif self._failed:
            self._note(result="索引恢复正常")
        return HEAL_EVERY

    def sync(self) -> float:
        if not index.pending():
            return SYNC_EVERY
        index.sync_all()
        return SYNC_EVERY if not index.pending() else AGAIN

    def _note(self, result: str = "", error: str = "") -> None:
        """Note for operators what became of the index."""
        self._failed = bool(error)
        try:
            running.note_index(result, error)
        except DatabaseError as reason:
            logger.warning("index: not noted: %s", reason)


def _rebuild() -> int:
    """Rebuild a small index here, a large one in a process that goes afterwards."""
    if index.processes() == 1:
        return index.rebuild()
    tasks.run_command("kb_index", "rebuild")
    return index.count()


@contextmanager
def _only_one(stop: Event) -> Iterator[None]:
    """Hold the lock of this host's scheduler, freed by the kernel with its process."""
    path = Path(settings.DATA_DIR) / "scheduler.lock"
    with path.open("a") as file:
        while not stop.is_set() and not _is_locked(file.fileno()):
            stop.wait(1.0)
        yield


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
