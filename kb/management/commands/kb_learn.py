"""Decay evidence and delete expired data, as the scheduler does each night."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from kb.management.base_command import KbCommand
from kb.operations import jobs
from kb.operations.jobs import clock_check

CLEANUP_TASKS = ("gaps", "evidence", "retention", "inquiries", "sessions", "uploads")


class Command(KbCommand):
    help = (
        "让搜索学到的东西随时间变淡，清掉过期的记录。"
        "make run 和 gunicorn 带的调度进程每晚自动做，不必再用 cron。"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="确认时钟没错，照常清理过期的数据"
        )

    def handle(self, *, force: bool, **options: Any) -> None:
        if force:
            clock_check.confirm_clock()
        failed = [
            name for name in (*CLEANUP_TASKS, "reminders") if not self._run_step(name)
        ]
        if failed:
            raise CommandError(f"有 {len(failed)} 步没有做成，原因见上。")

    def _run_step(self, name: str) -> bool:
        """Run a task and print its result; return whether it succeeded."""
        task = jobs.get_task(name)
        job = task and jobs.run_task(task)
        if not (task and job):
            self.stdout.write(f"「{name}」正在别的进程里运行。")
            return True
        if job.is_stopped_by_clock:
            self.stderr.write(f"{task.label}：{job.error}。")
            return True
        if job.error:
            self.stderr.write(f"{task.label}出错：{job.error}")
            return False
        self.stdout.write(f"{task.label}：{job.result}。")
        return True
