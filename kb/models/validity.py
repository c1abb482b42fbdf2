"""Validity: rows that are in force from a time, until a time, or without limit."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from kb.models.campaign_period import CampaignPeriod

EXPIRING_SOON_PERIOD = timedelta(days=settings.KB_EXPIRING_SOON_DAYS)


class Validity(models.TextChoices):
    NOT_YET = "later", "未生效"
    IN_FORCE = "now", "生效中"
    EXPIRING_SOON = "soon", "即将过期"
    EXPIRED = "over", "已过期"


def build_in_force_filter(prefix: str = "") -> Q:
    """Return a filter for rows in force now; ValidityMixin.is_in_force for one row.

    `prefix` is the path to the row from the filtered table, such as "entry__".
    """
    now = timezone.now()
    started = Q(**{f"{prefix}valid_from": None}) | Q(
        **{f"{prefix}valid_from__lte": now}
    )
    not_ended = Q(**{f"{prefix}valid_until": None}) | Q(
        **{f"{prefix}valid_until__gt": now}
    )
    return started & not_ended


def build_validity_filter(state: str) -> Q:
    """Return a filter for rows whose `validity` is `state` now; none if it is unknown."""
    now = timezone.now()
    ends_soon = Q(valid_until__lte=now + EXPIRING_SOON_PERIOD)
    return {
        Validity.NOT_YET.value: Q(valid_from__gt=now) & ~Q(valid_until__lte=now),
        Validity.IN_FORCE.value: build_in_force_filter()
        & (Q(valid_until=None) | ~ends_soon),
        Validity.EXPIRING_SOON.value: build_in_force_filter() & ends_soon,
        Validity.EXPIRED.value: Q(valid_until__lte=now),
    }.get(state, Q(pk=None))


class ValidityMixin(models.Model):
    """A row that may be in force for a limited time; `valid_until` itself is excluded.

    With a campaign period (`window`) the times are copies of those of the period.
    """

    window = models.ForeignKey(
        CampaignPeriod,
        verbose_name="档期",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="entries",
        help_text="选了档期就用它的时间，下面两项不用填；档期改了，时间跟着改。",
    )
    valid_from = models.DateTimeField(
        "生效时间",
        null=True,
        blank=True,
        db_index=True,
        help_text="到这个时间，顾客才看得到。留空表示发布后马上生效。",
    )
    valid_until = models.DateTimeField(
        "失效时间",
        null=True,
        blank=True,
        db_index=True,
        help_text="过了这个时间，顾客看不到，客服不能复制。留空表示一直有效。",
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_from__lt=F("valid_until")),
                name="kb_%(class)s_valid_in_order",
                violation_error_message="失效时间要在生效时间之后。",
            )
        ]

    def clean(self) -> None:
        super().clean()
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            raise ValidationError({"valid_until": "失效时间要在生效时间之后。"})

    def copy_period_dates(self) -> None:
        """Set the times to those of the campaign period, if there is one."""
        if self.window is not None:
            self.valid_from = self.window.starts_at
            self.valid_until = self.window.ends_at

    @property
    def is_in_force(self) -> bool:
        return self.validity in {Validity.IN_FORCE, Validity.EXPIRING_SOON}

    @property
    def validity(self) -> Validity:
        return self.get_validity_at(timezone.now())

    def get_validity_at(self, now: datetime) -> Validity:
        if self.valid_until and self.valid_until <= now:
            return Validity.EXPIRED
        if self.valid_from and self.valid_from > now:
            return Validity.NOT_YET
        if self.valid_until and self.valid_until <= now + EXPIRING_SOON_PERIOD:
            return Validity.EXPIRING_SOON
        return Validity.IN_FORCE
