"""What runs in the background, and what came of it: to look at, not to touch."""

from __future__ import annotations

from django.contrib import admin
from django.utils import timezone

from kb.admin.base import ReadOnly, short
from kb.jobs import get_task
from kb.jobs.running import INDEX, SCHEDULER
from kb.models import Job

HOST_JOBS = {SCHEDULER: "调度进程", INDEX: "索引自愈"}


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = ["label", "state", "began", "took", "said"]
    list_display_links = None

    @admin.display(description="任务")
    def label(self, job: Job) -> str:
        task = get_task(job.name)
        return task.label if task else HOST_JOBS.get(job.name.partition("@")[0], "")

    @admin.display(description="状态")
    def state(self, job: Job) -> str:
        if job.is_running:
            return "正在运行"
        if job.is_braked:
            return "暂停"
        return "出错" if job.error else "正常"

    @admin.display(description="上次运行", ordering="started_at")
    def began(self, job: Job) -> str:
        return short(job.started_at) if job.started_at else "还没有"

    @admin.display(description="用时", ordering="took_ms")
    def took(self, job: Job) -> str:
        return "" if job.took_ms is None else f"{job.took_ms / 1000:.1f} 秒"

    @admin.display(description="结果")
    def said(self, job: Job) -> str:
        if job.name.startswith(f"{SCHEDULER}@") and job.finished_at:
            ago = timezone.now() - job.finished_at
            return f"{max(round(ago.total_seconds()), 0)} 秒前还在运行"
        return job.error or job.result
