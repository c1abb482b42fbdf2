"""The scheduler: one process for each host that syncs the index and runs due tasks.

The index has a thread of its own, so it does not wait for a long task.
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

TASK_CHECK_SECONDS = 2.0  # between two checks for due tasks
SYNC_CHECK_SECONDS = 1.0  # between two checks for entries to index
INDEX_CHECK_SECONDS = 2.0  # between two checks of the index
INDEX_STOP_SECONDS = 3.0  # in which the index thread must finish a batch
SYNC_RETRY_SECONDS = 5.0  # after the database or the engine failed
REBUILD_RETRY_SECONDS = 60.0  # after a rebuild failed
BEAT_SECONDS = 30.0  # between two heartbeats
logger = logging.getLogger(__name__)


def run_scheduler(stop: Event) -> None:
    """Run until `stop` is set. Waits while another scheduler of this host runs."""
    with _hold_scheduler_lock(stop):
        if stop.is_set():
            return
        index_thread = start_index_watch(stop)
        holder = f"{task_runs.SCHEDULER_JOB}@{task_runs.get_host_name()}"
        runner = TaskRunner(holder)
        try:
            while not stop.is_set():
                runner.run_due_tasks(stop)
                connection.close()
                stop.wait(TASK_CHECK_SECONDS)
        finally:
            stop.set()
            index_thread.join(INDEX_STOP_SECONDS)
            _record_end()


def _record_end() -> None:
    try:
        task_runs.delete_scheduler_beat()
    except DatabaseError as error:
        logger.warning("jobs: the end was not recorded: %s", error)
    finally:
        connection.close()


class TaskRunner:
    """Runs the tasks that are due, one after another."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self._is_first = True
        self._checked_at: dict[str, float] = {}

    def run_due_tasks(self, stop: Event) -> None:
        """Run the tasks that are due. Database errors are logged, not raised."""
        try:
            if self._is_first:  # a scheduler of this host may have been killed
                task_runs.release_claims(self.holder)
                task_runs.delete_gone_hosts()
                self._is_first = False
            jobs = Job.objects.in_bulk()
            for task in tasks.SCHEDULED_TASKS:
                if not stop.is_set():
                    self._run_if_due(task, jobs.get(task_runs.get_job_name(task)))
        except DatabaseError as error:
            logger.warning("jobs: cannot check what is due: %s", error)

    def _run_if_due(self, task: tasks.Task, job: Job | None) -> None:
        if not task_runs.is_due(task, job, timezone.now()):
            return
        requested = job is not None and job.requested_at is not None
        if task.has_work and not requested and not self._has_work(task):
            return
        task_runs.run_task(task, holder=self.holder, job=job)

    def _has_work(self, task: tasks.Task) -> bool:
        """Return whether `task` has work; it is asked once in its interval."""
        now = time.monotonic()
        checked_at = self._checked_at.get(task.name)
        interval = task.interval.total_seconds()
        if checked_at is not None and now - checked_at < interval:
            return False
        self._checked_at[task.name] = now
        return task.has_work is None or task.has_work()


def start_index_watch(stop: Event) -> Thread:
    """Start the thread that indexes marked entries, and rebuilds a broken index.

    Requests index what they save. This is for large numbers of entries, for entries
    whose validity begins or ends, and for those that a failing engine did not index.
    """
    watch = IndexWatch(stop)
    thread = Thread(target=watch.run, name="kb.operations.jobs.index", daemon=True)
    thread.start()
    return thread


class IndexWatch:
    """The loop of the index thread: heartbeat, repair, sync."""

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
        """Run one step; return the seconds until it runs again."""
        try:
            return self._steps[name]()
        except DatabaseError as error:
            logger.warning("index: the database does not answer: %s", error)
            return SYNC_RETRY_SECONDS
        except Exception as error:  # the other steps must go on
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
        """Record the state of the index, for operators."""
        self._has_failed = bool(error)
        try:
            task_runs.record_index_state(result, error)
        except DatabaseError as reason:
            logger.warning("index: the state was not recorded: %s", reason)


def _rebuild_index() -> int:
    """Rebuild the index, a large one in another process to free its memory."""
    if sync.choose_process_count() == 1:
        return sync.rebuild_index()
    tasks.run_management_command("kb_index", "rebuild")
    return sync.count_indexed_entries()


@contextmanager
def _hold_scheduler_lock(stop: Event) -> Iterator[None]:
    """Hold the scheduler lock of this host; the kernel releases it with the process."""
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
