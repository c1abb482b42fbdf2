"""Revisions of replies: the previous text of every change."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from kb.models.fields import ProseField
from kb.models.reply import Reply


class ReplyRevision(models.Model):
    """`text` was the text of the reply until `replaced_at`.

    The current text is in the reply only, because most replies never change.
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
