"""When a text is in force: from a moment, until a moment, or for good."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from kb.models.window import Window

SOON = timedelta(days=7)


class Validity(models.TextChoices):
    LATER = "later", "未生效"
    NOW = "now", "生效中"
    SOON = "soon", "即将过期"
    OVER = "over", "已过期"


def in_force(prefix: str = "") -> Q:
    """Return the rows in force now; Valid.in_force is the same for one row."""
    now = timezone.now()
    begun = Q(**{f"{prefix}valid_from": None}) | Q(**{f"{prefix}valid_from__lte": now})
    lasts = Q(**{f"{prefix}valid_until": None}) | Q(**{f"{prefix}valid_until__gt": now})
    return begun & lasts


def having(state: str) -> Q:
    """Return the rows whose `validity` is `state`, now."""
    now = timezone.now()
    soon = Q(valid_until__lte=now + SOON)
    return {
        Validity.LATER.value: Q(valid_from__gt=now) & ~Q(valid_until__lte=now),
        Validity.NOW.value: in_force() & (Q(valid_until=None) | ~soon),
        Validity.SOON.value: in_force() & soon,
        Validity.OVER.value: Q(valid_until__lte=now),
    }.get(state, Q(pk=None))


class Valid(models.Model):
    """What may be in force for a time only; the end itself is past it.

    In a window its times are those of the window.
    """

    window = models.ForeignKey(
        Window,
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

    def follow_window(self) -> None:
        if self.window is not None:
            self.valid_from = self.window.starts_at
            self.valid_until = self.window.ends_at

    @property
    def in_force(self) -> bool:
        return self.validity in {Validity.NOW, Validity.SOON}

    @property
    def validity(self) -> Validity:
        return self.validity_at(timezone.now())

    def validity_at(self, now: datetime) -> Validity:
        if self.valid_until and self.valid_until <= now:
            return Validity.OVER
        if self.valid_from and self.valid_from > now:
            return Validity.LATER
        if self.valid_until and self.valid_until <= now + SOON:
            return Validity.SOON
        return Validity.NOW


class Reviewed(models.Model):
    """What somebody has to look at again, one day."""

    review_at = models.DateField(
        "复核日期",
        null=True,
        blank=True,
        db_index=True,
        help_text="到这一天，它会出现在负责人的「待复核」里。留空按分类的复核间隔。",
    )
    reviewed_at = models.DateTimeField("上次复核", null=True, editable=False)

    class Meta:
        abstract = True
