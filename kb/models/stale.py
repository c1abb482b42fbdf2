"""The outbox between the database and the search engine."""

from __future__ import annotations

from django.db import models


class Stale(models.Model):
    """An entry the index has not caught up with.

    Holds no operation and no payload: `index.sync` reads the entry itself and
    decides, so marks may repeat, arrive in any order, or outlive their entry.
    """

    entry_id = models.BigIntegerField("条目编号")
    marked_at = models.DateTimeField("标记时间", auto_now_add=True)

    class Meta:
        verbose_name = "待索引"
        verbose_name_plural = "待索引"

    def __str__(self) -> str:
        return f"#{self.entry_id}"
