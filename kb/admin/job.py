"""Background jobs with their last run and its result; read-only."""

from __future__ import annotations

from django.contrib import admin
from django.utils import timezone

from kb.admin.base_admin import ReadOnlyAdmin, format_local_time
from kb.models import Job
from kb.operations.jobs import get_task
from kb.operations.jobs.task_runs import INDEX_JOB, SCHEDULER_JOB

HOST_JOB_LABELS = {SCHEDULER_JOB: "调度进程", INDEX_JOB: "索引自愈"}


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = [
        "task_label",
        "run_state",
        "start_time",
        "run_duration",
        "result_text",
    ]
    list_display_links = None

    @admin.display(description="任务")
    def task_label(self, job: Job) -> str:
        task = get_task(job.name)
        return (
            task.label if task else HOST_JOB_LABELS.get(job.name.partition("@")[0], "")
        )

    @admin.display(description="状态")
    def run_state(self, job: Job) -> str:
        if job.is_running:
            return "正在运行"
        if job.is_stopped_by_clock:
            return "暂停"
        return "出错" if job.error else "正常"

    @admin.display(description="上次运行", ordering="started_at")
    def start_time(self, job: Job) -> str:
        return format_local_time(job.started_at) if job.started_at else "还没有"

    @admin.display(description="用时", ordering="took_ms")
    def run_duration(self, job: Job) -> str:
        return "" if job.took_ms is None else f"{job.took_ms / 1000:.1f} 秒"

    @admin.display(description="结果")
    def result_text(self, job: Job) -> str:
        if job.name.startswith(f"{SCHEDULER_JOB}@") and job.finished_at:
            age = timezone.now() - job.finished_at
            return f"{max(round(age.total_seconds()), 0)} 秒前还在运行"
        return job.error or job.result
