"""The time that the scheduler saw and trusted last."""

from __future__ import annotations

from django.db import models


class ClockCheck(models.Model):
    """One row. `doubted_at` is set while the clock is not trusted: clock_check of the jobs."""

    seen_at = models.DateTimeField()
    doubted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.seen_at)
