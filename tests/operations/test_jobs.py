"""Background tasks: when they run, in which process, and what operators see."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from threading import Event, Thread
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb.index import healing, sync
from kb.index.engines import EngineUnavailableError
from kb.models import ClockCheck, IndexQueue, Job, Search, User
from kb.operations import jobs
from kb.operations.jobs import clock_check, scheduler, supervisor, task_runs, tasks
from kb.system.database import time_limits
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a database on another machine travel in time with the test."""
    monkeypatch.setattr(clock_check, "_read_database_clock", timezone.now)


def task(run: Any = lambda: "做完了", **columns: Any) -> jobs.Task:
    return jobs.Task("sweep", "打扫", run, **columns)


def at(day: int, hour: int) -> datetime:
    return timezone.make_aware(datetime(2026, 3, day, hour, 0))  # noqa: DTZ001


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> list[jobs.Task]:
    """Return the table of tasks, empty."""
    rows: list[jobs.Task] = []
    monkeypatch.setattr(tasks, "SCHEDULED_TASKS", rows)
    return rows


def look(times: int = 1) -> None:
    looker = scheduler.TaskRunner("scheduler@here")
    for _ in range(times):
        looker.run_due_tasks(Event())


# One run ---------------------------------------------------------------------------


def test_a_run_is_kept_with_what_came_of_it() -> None:
    job = jobs.run_task(task())
    assert job
    assert (job.result, job.error, job.is_running) == ("做完了", "", False)
    assert job.took_ms is not None
    assert job.started_at <= job.finished_at  # type: ignore[operator]


def test_an_error_is_kept_and_stops_no_other_task(table: list[jobs.Task]) -> None:
    def fail() -> str:
        raise LookupError("哎呀")

    table += [task(fail), jobs.Task("other", "另一个", lambda: "好")]
    look()
    assert Job.objects.get(pk="sweep").error == "LookupError: 哎呀"
    assert Job.objects.get(pk="other").result == "好"


def test_one_process_runs_a_task_at_a_time() -> None:
    again: list[Job | None] = []

    def run() -> str:
        again.append(jobs.run_task(task()))
        assert Job.objects.get(pk="sweep").is_running
        return ""

    assert jobs.run_task(task(run))
    assert again == [None]


def test_two_hosts_that_find_a_task_due_run_it_once() -> None:
    seen = Job.objects.create(pk="sweep", started_at=at(1, 1))
    assert jobs.run_task(task(), job=seen)
    assert jobs.run_task(task(), job=seen) is None


def test_a_claim_ends_when_its_process_gives_no_sign_of_life() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.create(pk="sweep", claimed_by="gone", claimed_until=past)
    assert jobs.run_task(task())


def test_a_claim_by_a_clock_that_was_set_back_ends() -> None:
    Job.objects.create(pk="sweep", claimed_until=timezone.now() + DAY)
    assert jobs.run_task(task())


def test_what_a_killed_scheduler_left_is_taken_at_once(table: list[jobs.Task]) -> None:
    table.append(task())
    soon = timezone.now() + timedelta(seconds=60)
    Job.objects.create(pk="sweep", claimed_by="scheduler@here", claimed_until=soon)
    look()
    assert Job.objects.get().result == "做完了"


# When ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "due"),
    [
        (None, True),
        (Job(), True),
        (Job(started_at=at(9, 4), finished_at=at(9, 4)), False),
        (Job(started_at=at(9, 2), finished_at=at(9, 2)), True),
        (Job(started_at=at(8, 23), finished_at=at(9, 4)), True),
        (Job(started_at=at(9, 4), requested_at=at(9, 5)), True),
        (Job(started_at=at(20, 4)), True),  # by a clock that was set back
    ],
)
def test_a_nightly_task_is_due_once_a_night(job: Job | None, due: bool) -> None:
    assert task_runs.is_due(task(daily_time=tasks.NIGHTLY_TIME), job, at(9, 12)) is due


def test_a_task_rests_and_longer_when_it_took_long() -> None:
    every, end = task(interval=timedelta(seconds=10)), at(9, 12)
    job = Job(started_at=end, finished_at=end, took_ms=100)
    assert not task_runs.is_due(every, job, end + timedelta(seconds=9))
    assert task_runs.is_due(every, job, end + timedelta(seconds=11))
    job.took_ms = 60_000
    assert not task_runs.is_due(every, job, end + timedelta(minutes=8))
    assert task_runs.is_due(every, job, end + timedelta(minutes=10))


def test_what_has_no_work_is_not_run_unless_asked_for(table: list[jobs.Task]) -> None:
    table.append(task(has_work=lambda: False))
    look()
    assert not Job.objects.exists()
    jobs.request_run(table[0])
    look()
    job = Job.objects.get()
    assert (job.result, job.requested_at) == ("做完了", None)


def test_has_work_is_asked_once_in_an_interval(
    table: list[jobs.Task],
) -> None:
    looks: list[int] = []

    def has_work() -> bool:
        looks.append(1)
        return False

    table.append(task(interval=HOUR, has_work=has_work))
    look(times=3)
    assert len(looks) == 1


def test_all_tasks_run_and_say_what_they_did(make_entry: MakeEntry) -> None:
    make_entry()
    look()
    look()
    rows = Job.objects.all()
    assert {row.name.partition("@")[0] for row in rows} >= {
        row.name for row in tasks.SCHEDULED_TASKS if row.has_work is None
    }
    assert [row.error for row in rows if row.error] == []
    assert all(row.result for row in rows)


# The clock -------------------------------------------------------------------------


def search_now() -> None:
    Search.objects.create(words="退货", side="public", results=1)


def retain() -> Job:
    job = jobs.run_task(next(t for t in tasks.SCHEDULED_TASKS if t.name == "retention"))
    assert job
    return job


def test_a_clock_that_jumped_far_ahead_deletes_nothing() -> None:
    search_now()
    assert not retain().is_stopped_by_clock
    with time_machine.travel(timezone.now() + timedelta(days=3650)):
        job = retain()
    assert job.is_stopped_by_clock
    assert "时钟比上次看到的快了 3650 天" in job.error
    assert Search.objects.exists()
    assert not retain().is_stopped_by_clock  # the clock is back


def test_a_first_look_compares_with_what_people_did_last() -> None:
    search_now()
    with time_machine.travel(timezone.now() + timedelta(days=3650)):
        assert retain().is_stopped_by_clock
    assert Search.objects.exists()


def test_a_clock_that_still_says_so_a_day_later_is_believed() -> None:
    jobs.explain_clock_doubt()
    ahead = timezone.now() + timedelta(days=100)
    for hours, doubted in ((0, True), (12, True), (25, False), (26, False)):
        with time_machine.travel(ahead + hours * HOUR):
            assert bool(jobs.explain_clock_doubt()) is doubted, hours


def test_another_jump_is_another_doubt() -> None:
    jobs.explain_clock_doubt()
    now = timezone.now()
    for days in (100, 300, 500):
        with time_machine.travel(now + timedelta(days=days)):
            assert jobs.explain_clock_doubt()


def test_a_clock_that_was_set_back_hides_no_later_jump() -> None:
    now = timezone.now()
    ClockCheck.objects.create(pk=1, seen_at=now + timedelta(days=400))
    assert not jobs.explain_clock_doubt()
    with time_machine.travel(now + timedelta(days=300)):
        assert jobs.explain_clock_doubt()


def test_a_database_with_another_time_puts_the_clock_in_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    behind = timezone.now() - 3 * HOUR
    monkeypatch.setattr(clock_check, "_read_database_clock", lambda: behind)
    assert "数据库的时钟" in jobs.explain_clock_doubt()


def test_deleting_tasks_are_skipped_until_the_clock_is_confirmed() -> None:
    search_now()
    jobs.explain_clock_doubt()
    with time_machine.travel(timezone.now() + timedelta(days=3650)):
        call_command("kb_learn", stdout=StringIO(), stderr=(said := StringIO()))
        assert Search.objects.exists()
        assert "kb_learn --force" in said.getvalue()
        call_command("kb_learn", force=True, stdout=(out := StringIO()))
    assert not Search.objects.exists()
    assert "清掉 3 条过期记录" in out.getvalue()


# What operators see ------------------------------------------------------------------


def test_the_command_lists_tasks_and_runs_one() -> None:
    call_command("kb_jobs", "run", "sessions", stdout=(out := StringIO()))
    assert out.getvalue() == "清理过期登录：清掉了过期的登录。\n"
    call_command("kb_jobs", stdout=(out := StringIO()))
    lines = out.getvalue().splitlines()
    assert lines[0] == "没有调度进程在运行，后台任务都停着。"
    assert len(lines) == 1 + len(tasks.SCHEDULED_TASKS)
    task_runs.record_scheduler_beat()
    call_command("kb_jobs", stdout=(out := StringIO()))
    assert "没有调度进程" not in out.getvalue()


def test_a_host_that_is_gone_for_a_month_is_forgotten(table: list[jobs.Task]) -> None:
    past = timezone.now() - 31 * DAY
    for name in ("scheduler@old", "evidence"):
        Job.objects.create(pk=name, finished_at=past)
    task_runs.record_scheduler_beat()
    look()
    names = set(Job.objects.values_list("name", flat=True))
    assert names == {"evidence", f"scheduler@{task_runs.get_host_name()}"}


def test_a_task_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match="没有叫「x」的任务，有的是：gaps、"):
        call_command("kb_jobs", "run", "x")


def test_a_scheduler_without_a_sign_of_life_is_gone() -> None:
    assert not jobs.is_scheduler_alive()
    task_runs.record_scheduler_beat()
    assert jobs.is_scheduler_alive()
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert not jobs.is_scheduler_alive()


def test_leads_see_the_jobs_in_the_admin(client: Client, lead: User) -> None:
    jobs.run_task(next(t for t in tasks.SCHEDULED_TASKS if t.name == "sessions"))
    Job.objects.create(pk="evidence", started_at=timezone.now(), error="坏了")
    client.force_login(lead)
    page = client.get(reverse("admin:kb_job_changelist")).content.decode()
    assert "清理过期登录" in page
    assert "坏了" in page


# The index ---------------------------------------------------------------------------


@pytest.fixture
def watch(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Return what stops the thread that watches the index; it looks all the time."""
    for name in (
        "SYNC_CHECK_SECONDS",
        "INDEX_CHECK_SECONDS",
        "SYNC_RETRY_SECONDS",
        "REBUILD_RETRY_SECONDS",
    ):
        monkeypatch.setattr(scheduler, name, 0.01)
    stop = Event()
    yield stop
    stop.set()


def test_marks_are_worked_off_by_the_watch(watch: Event) -> None:
    sync.rebuild_index()
    done = Event()
    sync_all = sync.sync_all_marks

    def sync_and_tell() -> int:
        count = sync_all()
        done.set()
        return count

    IndexQueue.objects.create(entry_id=-1, lot_size=1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync, "sync_all_marks", sync_and_tell)
        thread = scheduler.start_index_watch(watch)
        assert done.wait(10)
        watch.set()
        thread.join(10)
    assert not thread.is_alive()
    assert not IndexQueue.objects.exists()


def test_the_watch_goes_on_after_an_error(watch: Event) -> None:
    tries: list[int] = []
    healed = Event()

    def heal(rebuild: object) -> bool:
        tries.append(1)
        if len(tries) == 1:
            raise EngineUnavailableError("disk full")
        if len(tries) == 2:
            raise ZeroDivisionError
        healed.set()
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(healing, "rebuild_if_needed", heal)
        thread = scheduler.start_index_watch(watch)
        assert healed.wait(10)
        watch.set()
        thread.join(10)
    assert not thread.is_alive()
    job = Job.objects.get(pk__startswith="index@")
    assert (job.result, job.error) == ("索引不可用，已自动重建", "")


def test_the_index_watch_stops_on_request(watch: Event) -> None:
    thread = scheduler.start_index_watch(watch)
    thread.join(0.05)
    assert thread.is_alive()
    watch.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_host_has_one_scheduler_which_stops_on_request(
    watch: Event, table: list[jobs.Task], settings: Any, tmp_path: Any
) -> None:
    settings.DATA_DIR = tmp_path
    ran = Event()

    def run() -> str:
        ran.set()
        return "好"

    table.append(task(run))
    first = Thread(target=scheduler.run_scheduler, args=(watch,))
    first.start()
    assert ran.wait(10)
    with (tmp_path / "scheduler.lock").open("a") as file:
        assert not scheduler._try_lock(file.fileno())
    watch.set()
    first.join(15)
    assert not first.is_alive()
    assert not jobs.is_scheduler_alive()
    with (tmp_path / "scheduler.lock").open("a") as file:
        assert scheduler._try_lock(file.fileno())


# The process -------------------------------------------------------------------------


def test_a_scheduler_that_dies_is_started_again_and_ends_with_its_master(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "CHILD_CHECK_SECONDS", 0.01)
    monkeypatch.setattr(supervisor, "MIN_LIFE_SECONDS", 0.0)
    monkeypatch.setattr(scheduler, "run_scheduler", lambda stop: stop.wait(60))
    kept = supervisor.SchedulerSupervisor()
    pids: list[int] = []

    def next_pid() -> int:
        for _ in range(1000):
            if kept.pid and kept.pid not in pids:
                pids.append(kept.pid)
                return kept.pid
            Event().wait(0.01)
        raise AssertionError("no scheduler was started")

    kept.start()
    os.kill(next_pid(), 9)
    second = next_pid()
    kept.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def test_background_work_has_no_limits_of_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr("signal.signal", lambda *args: None)
    monkeypatch.setattr(
        scheduler, "run_scheduler", lambda stop: seen.append(time_limits.is_serving())
    )
    time_limits.start_serving()
    try:
        supervisor.serve_scheduler()
    finally:
        time_limits.stop_serving()
    assert seen == [False]


def test_a_scheduler_ends_when_its_parent_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(supervisor, "CHILD_CHECK_SECONDS", 0.01)
    monkeypatch.setattr(supervisor, "STOP_GRACE_SECONDS", 0.0)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(pid))
    monkeypatch.setattr(os, "_exit", sent.append)
    supervisor._end_with_parent(parent=4711)
    assert sent == [os.getpid(), 1]
