"""The table of tasks: what runs, how often, and what it says afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from functools import partial
from subprocess import PIPE, Popen

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore

from kb import audit, feedback, gaps, index, inquiries, privacy, reads, reminding
from kb.jobs import trials
from kb.models import Search
from kb.transfer import uploads

NIGHT = time(3, 30)  # local time
MORNING = time(8, 0)


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be done again and again.

    `run` returns in Chinese what it did. It rests for `every` afterwards, or
    runs once a day after `at`. `has_work` is a cheap look before it is claimed.
    What `is_braked` does not run while the clock is in doubt. What is
    `on_every_host` concerns the files of one host; the rest runs once a site.
    """

    name: str
    label: str
    run: Callable[[], str]
    every: timedelta = timedelta(days=1)
    at: time | None = None
    has_work: Callable[[], bool] | None = None
    is_braked: bool = False
    on_every_host: bool = False


# Everything that is kept for a time. Each returns how many rows went.
RETENTION: tuple[Callable[[], int], ...] = (
    feedback.forget,
    reads.forget,
    audit.forget,
    gaps.tidy,
    privacy.delete_expired_personal_data,
)


def forget_old_rows() -> str:
    return f"清掉 {sum(forget() for forget in RETENTION)} 条过期记录"


def age_evidence() -> str:
    return f"更新了 {feedback.age()} 条"


def gather_gaps() -> str:
    return f"收了 {gaps.gather()} 种说法"


def tidy_inquiries() -> str:
    sent, forgotten = inquiries.tidy()
    return f"补发 {sent} 封邮件，清掉 {forgotten} 位顾客的联系方式"


def send_answer_mail() -> str:
    return f"发出 {inquiries.send_due_mail()} 封回复邮件"


def remind_owners() -> str:
    return f"提醒了 {reminding.remind()} 位负责人复核"


def forget_sessions() -> str:
    SessionStore.clear_expired()
    return "清掉了过期的登录"


def forget_uploads() -> str:
    return f"清掉 {uploads.forget_old()} 个没有确认的导入文件"


def audit_index() -> str:
    """Compare the index with the database; large ones in a process of their own."""
    if index.processes() > 1:
        return run_command("kb_index", "audit")
    drift = index.audit()
    index.sync_all()
    return f"{len(drift)} 条不一致，已更新" if drift else "索引和数据库一致"


def run_command(*arguments: str) -> str:
    """Run a command of ours in its own process; return the last line that it wrote.

    What it needs of memory goes with it. Raises RuntimeError with what it said.
    """
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
    with Popen(command, stdout=PIPE, stderr=PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            written, errors = process.communicate()
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise RuntimeError((errors or written).strip()[-400:])
    return (written.strip().splitlines() or [""])[-1][:200]


def _has_searches() -> bool:
    return gaps.late(timedelta(seconds=10)) and Search.objects.exists()


nightly = partial(Task, at=NIGHT)
TASKS: tuple[Task, ...] = (
    Task(
        "gaps",
        "搜索缺口归集",
        gather_gaps,
        timedelta(seconds=10),
        has_work=_has_searches,
    ),
    Task(
        trials.NAME,
        "搜索验收与缺口复查",
        trials.run_trials,
        timedelta(seconds=15),
        has_work=trials.has_settled,
    ),
    Task(
        "answer-mail",
        "给提问的人发回复邮件",
        send_answer_mail,
        timedelta(seconds=5),
        has_work=inquiries.has_due_mail,
    ),
    Task("reminders", "复核提醒", remind_owners, at=MORNING),
    nightly("evidence", "搜索学习", age_evidence, is_braked=True),
    nightly("retention", "清理过期记录", forget_old_rows, is_braked=True),
    nightly("inquiries", "补发邮件、清理联系方式", tidy_inquiries, is_braked=True),
    nightly("sessions", "清理过期登录", forget_sessions, is_braked=True),
    nightly("uploads", "清理导入文件", forget_uploads, on_every_host=True),
    nightly("index-audit", "索引核对", audit_index, on_every_host=True),
)


def get_task(name: str) -> Task | None:
    """Return the task whose job goes by `name`, on whichever host."""
    wanted = name.partition("@")[0]
    return next((task for task in TASKS if task.name == wanted), None)
