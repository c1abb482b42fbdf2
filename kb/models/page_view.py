"""How often an entry was opened on one day."""

from __future__ import annotations

from django.db import models

from kb.models.entry import Entry


class PageView(models.Model):
    """How often customers opened an entry on one day; who they were is not stored."""

    entry = models.ForeignKey(
        Entry, on_delete=models.CASCADE, related_name="page_views"
    )
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "day"], name="kb_pageview_once_a_day"
            )
        ]
        indexes = [models.Index(fields=["day", "entry"])]

    def __str__(self) -> str:
        return f"#{self.entry_id} {self.day}: {self.count}"
