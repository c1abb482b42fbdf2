"""Background jobs: when each task ran last, and its result."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

# An error that begins so is no failure of the task: the clock was not trusted.
CLOCK_DOUBT_PREFIX = "没有运行："
# A scheduler that has not updated its row for this long counts as stopped.
HEARTBEAT_TIMEOUT = timedelta(minutes=2)


class Job(models.Model):
    """The last run of one task of `kb.operations.jobs`.

    A process claims the row before it runs the task, so that a site with several
    hosts runs it once. The claim expires when its process has died.
    """

    name = models.CharField("名称", max_length=120, primary_key=True)
    requested_at = models.DateTimeField("要求运行的时间", null=True)
    claimed_by = models.CharField("正在运行的进程", max_length=120, blank=True)
    claimed_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField("上次开始", null=True)
    finished_at = models.DateTimeField("上次结束", null=True)
    took_ms = models.PositiveIntegerField("用时（毫秒）", null=True)
    result = models.CharField("结果", max_length=200, blank=True)
    error = models.CharField("出错", max_length=500, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "后台任务"
        verbose_name_plural = "后台任务"

    def __str__(self) -> str:
        return self.name

    @property
    def is_stopped_by_clock(self) -> bool:
        """Whether the task did not run because the clock was not trusted."""
        return self.error.startswith(CLOCK_DOUBT_PREFIX)

    @property
    def is_running(self) -> bool:
        return bool(self.claimed_until and self.claimed_until > timezone.now())
