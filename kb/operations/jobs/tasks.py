"""The table of tasks: what runs, how often, and what it reports."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from functools import partial
from subprocess import PIPE, Popen

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore

from kb import usage
from kb.accounts import audit_log
from kb.import_export.read import uploads
from kb.index import sync
from kb.library import review_reminders
from kb.models import Search
from kb.operations import privacy
from kb.operations.jobs import relevance_trials
from kb.publishing import page_views
from kb.quality import search_gaps
from kb.questions import inquiries

NIGHTLY_TIME = time(3, 30)  # local time
MORNING_TIME = time(8, 0)  # local time


@dataclass(frozen=True, slots=True)
class Task:
    """A periodic task.

    `run` returns what it did, in Chinese. The task rests for `interval` afterwards, or
    runs once a day at `daily_time`. `has_work` is a cheap check before it is claimed. If
    `is_clock_dependent`, it does not run while the clock is not trusted. A task
    `on_every_host` concerns the files of a host; other tasks run once for the site.
    """

    name: str
    label: str
    run: Callable[[], str]
    interval: timedelta = timedelta(days=1)
    daily_time: time | None = None
    has_work: Callable[[], bool] | None = None
    is_clock_dependent: bool = False
    on_every_host: bool = False


# Functions that delete expired rows and return how many.
RETENTION_STEPS: tuple[Callable[[], int], ...] = (
    usage.delete_old_usage,
    page_views.delete_old_page_views,
    audit_log.delete_old_events,
    search_gaps.recount_gaps,
    privacy.delete_expired_personal_data,
)


def delete_expired_rows() -> str:
    return f"清掉 {sum(delete_rows() for delete_rows in RETENTION_STEPS)} 条过期记录"


def decay_evidence() -> str:
    return f"更新了 {usage.update_aged_evidence()} 条"


def collect_search_gaps() -> str:
    return f"收了 {search_gaps.collect_gaps()} 种说法"


def clean_up_inquiries() -> str:
    sent, erased = inquiries.retry_mail_and_erase_contacts()
    return f"补发 {sent} 封邮件，清掉 {erased} 位顾客的联系方式"


def send_answer_mail() -> str:
    return f"发出 {inquiries.mail_due_answers()} 封回复邮件"


def remind_owners() -> str:
    return f"提醒了 {review_reminders.send_review_reminders()} 位负责人复核"


def delete_expired_sessions() -> str:
    SessionStore.clear_expired()
    return "清掉了过期的登录"


def delete_expired_uploads() -> str:
    return f"清掉 {uploads.delete_old_uploads()} 个没有确认的导入文件"


def audit_index() -> str:
    """Compare the index with the database, a large one in another process."""
    if sync.choose_process_count() > 1:
        return run_management_command("kb_index", "audit")
    drift = sync.audit_indexed_entries()
    sync.sync_all_marks()
    return f"{len(drift)} 条不一致，已更新" if drift else "索引和数据库一致"


def run_management_command(*arguments: str) -> str:
    """Run manage.py in another process; return the last line of its output.

    Its memory is freed when it ends. Raises RuntimeError with its error output.
    """
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
    with Popen(command, stdout=PIPE, stderr=PIPE, text=True) as process:  # noqa: S603 - our own script
        try:
            output, errors = process.communicate()
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise RuntimeError((errors or output).strip()[-400:])
    return (output.strip().splitlines() or [""])[-1][:200]


def _has_uncollected_searches() -> bool:
    return (
        search_gaps.is_collecting_overdue(timedelta(seconds=10))
        and Search.objects.exists()
    )


make_nightly_task = partial(Task, daily_time=NIGHTLY_TIME)
SCHEDULED_TASKS: tuple[Task, ...] = (
    Task(
        "gaps",
        "搜索缺口归集",
        collect_search_gaps,
        timedelta(seconds=10),
        has_work=_has_uncollected_searches,
    ),
    Task(
        relevance_trials.TRIALS_TASK_NAME,
        "搜索验收与缺口复查",
        relevance_trials.rerun_relevance_tests,
        timedelta(seconds=15),
        has_work=relevance_trials.has_settled_change,
    ),
    Task(
        "answer-mail",
        "给提问的人发回复邮件",
        send_answer_mail,
        timedelta(seconds=5),
        has_work=inquiries.has_due_answer_mail,
    ),
    Task("reminders", "复核提醒", remind_owners, daily_time=MORNING_TIME),
    make_nightly_task("evidence", "搜索学习", decay_evidence, is_clock_dependent=True),
    make_nightly_task(
        "retention", "清理过期记录", delete_expired_rows, is_clock_dependent=True
    ),
    make_nightly_task(
        "inquiries",
        "补发邮件、清理联系方式",
        clean_up_inquiries,
        is_clock_dependent=True,
    ),
    make_nightly_task(
        "sessions", "清理过期登录", delete_expired_sessions, is_clock_dependent=True
    ),
    make_nightly_task(
        "uploads", "清理导入文件", delete_expired_uploads, on_every_host=True
    ),
    make_nightly_task("index-audit", "索引核对", audit_index, on_every_host=True),
)


def get_task(name: str) -> Task | None:
    """Return the task of the job `name`, "task" or "task@host"; None if unknown."""
    task_name = name.partition("@")[0]
    return next((task for task in SCHEDULED_TASKS if task.name == task_name), None)
