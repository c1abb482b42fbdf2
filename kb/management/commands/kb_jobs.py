"""List background tasks, run one now, or run the scheduler."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from kb.management.base_command import KbCommand
from kb.models import Job
from kb.operations import jobs
from kb.operations.jobs import clock_check, supervisor, task_runs


class Command(KbCommand):
    help = (
        "后台任务：list 列出，run 立即运行一个，"
        "serve 当调度进程（make run 和 gunicorn 已经自带一个，不用再开）。"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("action", choices=["list", "run", "serve"], nargs="?")
        parser.add_argument("name", nargs="?", default="", help="run 的任务名")
        parser.add_argument(
            "--force", action="store_true", help="确认时钟没错，照常清理过期的数据"
        )

    def handle(self, action: str | None, name: str, **options: Any) -> None:
        if options["force"]:
            clock_check.confirm_clock()
        if action == "serve":
            supervisor.serve_scheduler()
        elif action == "run":
            self._run_task(name)
        else:
            self._print_tasks()

    def _print_tasks(self) -> None:
        if not jobs.is_scheduler_alive():
            self.stdout.write("没有调度进程在运行，后台任务都停着。")
        if doubt := jobs.explain_clock_doubt():
            self.stdout.write(f"暂停清理过期数据：{doubt}。")
        rows = Job.objects.in_bulk()
        for job in Job.objects.filter(pk__startswith=f"{task_runs.INDEX_JOB}@"):
            self.stdout.write(f"{job.name}：{_format_job_state(job)}")
        for task in jobs.SCHEDULED_TASKS:
            self.stdout.write(
                _format_task(task, rows.get(task_runs.get_job_name(task)))
            )

    def _run_task(self, name: str) -> None:
        task = jobs.get_task(name)
        if task is None:
            names = "、".join(task.name for task in jobs.SCHEDULED_TASKS)
            raise CommandError(f"没有叫「{name}」的任务，有的是：{names}。")
        job = jobs.run_task(task)
        if job is None:
            raise CommandError(f"「{task.label}」正在别的进程里运行。")
        if job.error:
            raise CommandError(f"「{task.label}」{job.error}。")
        self.stdout.write(f"{task.label}：{job.result or '没有要做的'}。")


def _format_task(task: jobs.Task, job: Job | None) -> str:
    return f"{task.name:<12} {task.label}：{_format_job_state(job)}"


def _format_job_state(job: Job | None) -> str:
    if job is None or job.started_at is None:
        return "还没运行过"
    if job.is_running:
        return "正在运行"
    started = timezone.localtime(job.started_at).strftime("%Y-%m-%d %H:%M:%S")
    duration = "" if job.took_ms is None else f"，{job.took_ms / 1000:.1f} 秒"
    outcome = (job.error and f"出错：{job.error}") or job.result
    return f"{started}{duration}，{outcome}"
