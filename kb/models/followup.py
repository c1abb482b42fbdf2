"""A follow-up: what customers ask after an entry, as an editor says."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F

from kb.models.entry import Entry


class FollowUp(models.Model):
    """Whoever got `entry` will ask `then`; readers meet what they may read of it.

    EntryQuerySet.following shows them.
    """

    entry = models.ForeignKey(
        Entry,
        verbose_name="条目",
        on_delete=models.CASCADE,
        related_name="follow_ups",
    )
    then = models.ForeignKey(
        Entry,
        verbose_name="接下来会问",
        on_delete=models.CASCADE,
        related_name="follows",
    )
    order = models.PositiveSmallIntegerField("次序", default=0)

    class Meta:
        ordering = ["order", "id"]
        verbose_name = "后续问题"
        verbose_name_plural = "后续问题"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(entry=F("then")), name="kb_followup_not_itself"
            ),
            models.UniqueConstraint(
                fields=["entry", "then"],
                name="kb_followup_unique",
                violation_error_message="这个条目已经是后续问题了。",
            ),
        ]

    def __str__(self) -> str:
        return str(self.then)

    def clean(self) -> None:
        if self.entry_id is not None and self.entry_id == self.then_id:
            raise ValidationError({"then": "后续问题不能是条目自己。"})
