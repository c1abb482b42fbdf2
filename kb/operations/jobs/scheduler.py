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

from kb.index import healing, sync
from kb.index.engines import EngineUnavailableError
from kb.models import Job
from kb.operations.jobs import task_runs, tasks

TASK_CHECK_SECONDS = 2.0  # seconds between two looks for tasks that are due
SYNC_CHECK_SECONDS = 1.0  # seconds between two looks for marks
INDEX_CHECK_SECONDS = 2.0  # seconds between two checks of the index
INDEX_STOP_SECONDS = 3.0  # seconds for the index to finish a batch
SYNC_RETRY_SECONDS = 5.0  # seconds after the database or the engine gave no answer
REBUILD_RETRY_SECONDS = 60.0  # seconds after a rebuild that failed
BEAT_SECONDS = 30.0  # seconds between two signs of life
logger = logging.getLogger(__name__)


def run_scheduler(stop: Event) -> None:
    """Run until `stop` is set. Waits while another scheduler of this host runs."""
    with _hold_scheduler_lock(stop):
        if stop.is_set():
            return
        watcher = start_index_watch(stop)
        holder = f"{task_runs.SCHEDULER_JOB}@{task_runs.get_host_name()}"
        looker = TaskRunner(holder)
        try:
            while not stop.is_set():
                looker.run_due_tasks(stop)
                connection.close()
                stop.wait(TASK_CHECK_SECONDS)
        finally:
            stop.set()
            watcher.join(INDEX_STOP_SECONDS)
            _record_end()


def _record_end() -> None:
    try:
        task_runs.delete_scheduler_beat()
    except DatabaseError as error:
        logger.warning("jobs: the end was not noted: %s", error)
    finally:
        connection.close()


class TaskRunner:
    """Runs the tasks that are due, one after another."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self._is_first = True
        self._checked_at: dict[str, float] = {}

    def run_due_tasks(self, stop: Event) -> None:
        """Run what is due now. Errors of the database are logged."""
        try:
            if self._is_first:  # what a killed scheduler of this host has left
                task_runs.release_claims(self.holder)
                task_runs.delete_gone_hosts()
                self._is_first = False
            jobs = Job.objects.in_bulk()
            for task in tasks.SCHEDULED_TASKS:
                if not stop.is_set():
                    self._run_if_due(task, jobs.get(task_runs.get_job_name(task)))
        except DatabaseError as error:
            logger.warning("jobs: cannot look what is due: %s", error)

    def _run_if_due(self, task: tasks.Task, job: Job | None) -> None:
        if not task_runs.is_due(task, job, timezone.now()):
            return
        requested = job is not None and job.requested_at is not None
        if task.has_work and not requested and not self._has_work(task):
            return
        task_runs.run_task(task, holder=self.holder, job=job)

    def _has_work(self, task: tasks.Task) -> bool:
        """Look for work of `task`, once in the time that it rests."""
        now = time.monotonic()
        looked = self._checked_at.get(task.name)
        if looked is not None and now - looked < task.interval.total_seconds():
            return False
        self._checked_at[task.name] = now
        return task.has_work is None or task.has_work()


def start_index_watch(stop: Event) -> Thread:
    """Start a thread that works off marks, and rebuilds an index that needs it.

    Requests sync what they save. This is for large lots, for entries that begin
    or end, and for what a busy or failing engine left marked.
    """
    watch = IndexWatch(stop)
    thread = Thread(target=watch.run, name="kb.operations.jobs.index", daemon=True)
    thread.start()
    return thread


class IndexWatch:
    """The rounds of the thread that watches the index."""

    def __init__(self, stop: Event) -> None:
        self.stop = stop
        self._steps: dict[str, Callable[[], float]] = {
            "beat": self.record_beat,
            "heal": self.heal_index,
            "sync": self.sync_index,
        }
        self._due = dict.fromkeys(self._steps, 0.0)
        self._has_failed = False

    def run(self) -> None:
        while not self.stop.is_set():
            for name in self._steps:
                if time.monotonic() >= self._due[name] and not self.stop.is_set():
                    self._due[name] = time.monotonic() + self._run_step(name)
            self.stop.wait(SYNC_CHECK_SECONDS / 4)

    def _run_step(self, name: str) -> float:
        """Take one step; return after how many seconds it is to be taken again."""
        try:
            return self._steps[name]()
        except DatabaseError as error:
            logger.warning("index: the database gives no answer: %s", error)
            return SYNC_RETRY_SECONDS
        except Exception as error:  # the other steps go on
            expected = isinstance(
                error, EngineUnavailableError | OSError | RuntimeError
            )
            logger.warning("index: %s failed: %s", name, error, exc_info=not expected)
            self._record_index_state(error=str(error)[:500])
            return REBUILD_RETRY_SECONDS
        finally:
            connection.close()

    def record_beat(self) -> float:
        task_runs.record_scheduler_beat()
        return BEAT_SECONDS

    def heal_index(self) -> float:
        if healing.rebuild_if_needed(_rebuild_index):
            self._record_index_state(result="索引不可用，已自动重建")
        elif self._has_failed:
            self._record_index_state(result="索引恢复正常")
        return INDEX_CHECK_SECONDS

    def sync_index(self) -> float:
        if not sync.count_pending_marks():
            return SYNC_CHECK_SECONDS
        sync.sync_all_marks()
        return (
            SYNC_CHECK_SECONDS if not sync.count_pending_marks() else SYNC_RETRY_SECONDS
        )

    def _record_index_state(self, result: str = "", error: str = "") -> None:
        """Note for operators what became of the index."""
        self._has_failed = bool(error)
        try:
            task_runs.record_index_state(result, error)
        except DatabaseError as reason:
            logger.warning("index: not noted: %s", reason)


def _rebuild_index() -> int:
    """Rebuild a small index here, a large one in a process that goes afterwards."""
    if sync.choose_process_count() == 1:
        return sync.rebuild_index()
    tasks.run_management_command("kb_index", "rebuild")
    return sync.count_indexed_entries()


@contextmanager
def _hold_scheduler_lock(stop: Event) -> Iterator[None]:
    """Hold the lock of this host's scheduler, freed by the kernel with its process."""
    path = Path(settings.DATA_DIR) / "scheduler.lock"
    with path.open("a") as file:
        while not stop.is_set() and not _try_lock(file.fileno()):
            stop.wait(1.0)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
