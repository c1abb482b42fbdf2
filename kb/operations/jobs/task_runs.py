"""When a task is due, which process runs it, and the record of its runs."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from kb.index.engines import EngineUnavailableError
from kb.models import Job
from kb.models.job import CLOCK_DOUBT_PREFIX, HEARTBEAT_TIMEOUT
from kb.operations.jobs.clock_check import explain_clock_doubt
from kb.operations.jobs.tasks import Task

CLAIM_LEASE = timedelta(seconds=90)  # a claim that is not renewed ends then
HOST_FORGOTTEN_AFTER = timedelta(days=30)
# A task rests nine times as long as it ran, so it takes a tenth of a core at most.
REST_FACTOR = 9
SCHEDULER_JOB, INDEX_JOB = "scheduler", "index"  # jobs that are no tasks, one per host
logger = logging.getLogger(__name__)


def get_host_name() -> str:
    """Return a name for this machine and its data folder."""
    folder = hashlib.blake2b(str(settings.DATA_DIR).encode(), digest_size=4)
    return f"{socket.gethostname()[:60]}-{folder.hexdigest()}"


def get_job_name(task: Task) -> str:
    return f"{task.name}@{get_host_name()}" if task.on_every_host else task.name


def is_due(task: Task, job: Job | None, now: datetime) -> bool:
    """Return whether `task` should run at `now`, given its last run."""
    if job is None or job.started_at is None or job.requested_at:
        return True
    if job.started_at > now:  # the clock was set back since
        return True
    if task.daily_time:
        return job.started_at < _find_last_due_time(task, now)
    took = timedelta(milliseconds=(job.took_ms or 0) * REST_FACTOR)
    return now - (job.finished_at or job.started_at) >= max(task.interval, took)


def run_task(task: Task, *, holder: str = "", job: Job | None = None) -> Job | None:
    """Run `task` now and return its job; None when another process runs it.

    An error is recorded and logged, not raised. `job` is the row by which the task was
    found due: if another process ran it since, nothing is done.
    """
    name = get_job_name(task)
    holder = holder or f"{get_host_name()}:{os.getpid()}"
    if not _claim_job(name, holder, job):
        return None
    started = time.monotonic()
    with _keep_claim_renewed(name, holder):
        result, error = _execute_task(task)
    Job.objects.filter(pk=name).update(
        claimed_by="",
        claimed_until=None,
        requested_at=None,
        finished_at=timezone.now(),
        took_ms=round(1000 * (time.monotonic() - started)),
        result=result[:200],
        error=error[:500],
    )
    return Job.objects.filter(pk=name).first()


def request_run(task: Task) -> None:
    """Make the scheduler run `task` at its next check."""
    Job.objects.update_or_create(
        pk=get_job_name(task), defaults={"requested_at": timezone.now()}
    )


def release_claims(holder: str) -> None:
    """Release the claims of a process named `holder` that has ended."""
    Job.objects.filter(claimed_by=holder).update(claimed_by="", claimed_until=None)


def delete_gone_hosts() -> None:
    """Delete the jobs of hosts that had no heartbeat for HOST_FORGOTTEN_AFTER."""
    before = timezone.now() - HOST_FORGOTTEN_AFTER
    Job.objects.filter(name__contains="@", finished_at__lt=before).delete()


def record_scheduler_beat() -> None:
    """Record a heartbeat of the scheduler of this host."""
    now = timezone.now()
    Job.objects.update_or_create(
        pk=f"{SCHEDULER_JOB}@{get_host_name()}",
        defaults={"finished_at": now},
        create_defaults={"started_at": now, "finished_at": now},
    )


def record_index_state(result: str = "", error: str = "") -> None:
    """Record the state of this host's index, for operators."""
    now = timezone.now()
    facts = {"started_at": now, "finished_at": now, "result": result, "error": error}
    Job.objects.update_or_create(pk=f"{INDEX_JOB}@{get_host_name()}", defaults=facts)


def delete_scheduler_beat() -> None:
    """Record that the scheduler of this host has ended."""
    Job.objects.filter(pk=f"{SCHEDULER_JOB}@{get_host_name()}").delete()


def is_scheduler_alive() -> bool:
    """Return whether some host runs a scheduler."""
    since = timezone.now() - HEARTBEAT_TIMEOUT
    rows = Job.objects.filter(pk__startswith=f"{SCHEDULER_JOB}@")
    return rows.filter(finished_at__gt=since).exists()


def _execute_task(task: Task) -> tuple[str, str]:
    """Run `task`; return its result and its error, one of them empty."""
    try:
        if task.is_clock_dependent and (doubt := explain_clock_doubt()):
            return "", f"{CLOCK_DOUBT_PREFIX}{doubt}"
        return task.run(), ""
    except (DatabaseError, EngineUnavailableError, OSError) as error:
        logger.warning("jobs: %s failed: %s", task.name, error)
        return "", _format_task_error(error)
    except Exception as error:  # the other tasks must go on
        logger.exception("jobs: %s failed", task.name)
        return "", _format_task_error(error)


def _format_task_error(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _claim_job(name: str, holder: str, seen: Job | None) -> bool:
    """Claim the job for `holder` by one conditional update; return whether it worked."""
    now = timezone.now()
    Job.objects.bulk_create([Job(pk=name)], ignore_conflicts=True)
    # A claim that ends far ahead is from a clock that was set back since.
    has_ended = Q(claimed_until__lte=now) | Q(claimed_until__gt=now + 2 * CLAIM_LEASE)
    free = Job.objects.filter(Q(claimed_until=None) | has_ended, pk=name)
    if seen is not None:
        free = free.filter(started_at=seen.started_at)
    return bool(
        free.update(claimed_by=holder, claimed_until=now + CLAIM_LEASE, started_at=now)
    )


@contextmanager
def _keep_claim_renewed(name: str, holder: str) -> Iterator[None]:
    """Renew a claim in a thread as long as the block runs."""
    done = Event()

    def renew_until_done() -> None:
        while not done.wait(CLAIM_LEASE.total_seconds() / 3):
            try:
                claims = Job.objects.filter(pk=name, claimed_by=holder)
                claims.update(claimed_until=timezone.now() + CLAIM_LEASE)
            except DatabaseError as error:
                logger.warning("jobs: the claim of %s was not renewed: %s", name, error)
            finally:
                connection.close()

    thread = Thread(
        target=renew_until_done, name="kb.operations.jobs.claim", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _find_last_due_time(task: Task, now: datetime) -> datetime:
    """Return the last time at or before `now` when a daily task should have run."""
    local = timezone.localtime(now)
    today = local.replace(
        hour=task.daily_time.hour if task.daily_time else 0,
        minute=task.daily_time.minute if task.daily_time else 0,
        second=0,
        microsecond=0,
    )
    return today if today <= local else today - timedelta(days=1)
