"""What a reply said before: a row for each change, so that it can be compared."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from kb.models.fields import ProseField
from kb.models.reply import Reply


class ReplyRevision(models.Model):
    """`text` was what the reply said until `replaced_at`.

    What it says now stands in the reply alone: most are never changed.
    """

    reply = models.ForeignKey(Reply, on_delete=models.CASCADE, related_name="revisions")
    text = ProseField()
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["replaced_at", "pk"]
        verbose_name = "话术旧版"
        verbose_name_plural = "话术旧版"
        indexes = [models.Index(fields=["reply", "replaced_at"])]

    def __str__(self) -> str:
        return f"#{self.reply_id}"
