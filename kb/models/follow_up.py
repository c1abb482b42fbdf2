"""Follow-ups: what customers ask after an entry, chosen by editors."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F

from kb.models.entry import Entry

DUPLICATE_FOLLOW_UP_MESSAGE = "这个条目已经是后续问题了。"


class FollowUp(models.Model):
    """Customers who asked `entry` often ask `then` next.

    EntryQuerySet.follow_ups_of lists them for readers.
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
        related_name="preceded_by",
    )
    order = models.PositiveSmallIntegerField("次序", default=0)

    # {id of `then`: primary key} of the rows of the proposed change that this row
    # belongs to. It must be unique among these, not among the published rows.
    proposed_ids: Mapping[int, int] | None = None

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
                violation_error_message=DUPLICATE_FOLLOW_UP_MESSAGE,
            ),
        ]

    def __str__(self) -> str:
        return str(self.then)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        if self.proposed_ids is None:
            super().validate_constraints(exclude)
        elif self.proposed_ids.get(self.then_id, self.pk) != self.pk:
            raise ValidationError(DUPLICATE_FOLLOW_UP_MESSAGE)

    def clean(self) -> None:
        if self.entry_id is not None and self.entry_id == self.then_id:
            raise ValidationError({"then": "后续问题不能是条目自己。"})
