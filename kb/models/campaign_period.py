"""Campaign periods (档期): a named time span that many entries share."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from kb.text.chinese import normalize


class CampaignPeriod(models.Model):
    """A time span such as 618 or 春节. Its entries are in force during it.

    At least one of the two ends is set. Only `kb.library.entries` writes it, because
    the entries hold copies of its dates, which queries read.
    """

    name = models.CharField(
        "名称", max_length=30, unique=True, help_text="比如“618”“春节放假”。"
    )
    starts_at = models.DateTimeField("开始时间", null=True, blank=True)
    ends_at = models.DateTimeField("结束时间", null=True, blank=True)

    class Meta:
        ordering = ["-starts_at", "name"]
        verbose_name = "档期"
        verbose_name_plural = "档期"
        constraints = [
            models.CheckConstraint(
                condition=~Q(name=""), name="kb_campaignperiod_has_name"
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=False) | Q(ends_at__isnull=False),
                name="kb_campaignperiod_has_an_edge",
                violation_error_message="开始时间和结束时间至少要填一个。",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None)
                | Q(ends_at=None)
                | Q(starts_at__lt=F("ends_at")),
                name="kb_campaignperiod_in_order",
                violation_error_message="结束时间要在开始时间之后。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.name = normalize.clean_single_line(self.name)
        if self.starts_at is None and self.ends_at is None:
            raise ValidationError("开始时间和结束时间至少要填一个。")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "结束时间要在开始时间之后。"})
