"""The time that the scheduler saw and trusted last."""

from __future__ import annotations

from django.db import models


class ClockCheck(models.Model):
    """The clock, as it was when somebody last looked and believed it. One row."""

    seen_at = models.DateTimeField()
    doubted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.seen_at)
