"""The edition of the vocabulary and of the style rules."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.utils import timezone


class LanguageEdition(models.Model):
    """One row for each list, raised in the transaction of every change of the list.

    The time tells two editions with the same number apart: one of them was rolled
    back after another process had read it.
    """

    VOCABULARY, STYLE_RULES = 1, 2

    number = models.PositiveBigIntegerField("版次", default=0)
    raised_at = models.DateTimeField("更新时间", auto_now=True)

    class Meta:
        verbose_name = "词汇版次"
        verbose_name_plural = "词汇版次"

    def __str__(self) -> str:
        return f"#{self.number}"

    @staticmethod
    def increment_edition(which: int) -> None:
        """Make all processes reload the list, once this transaction commits."""
        LanguageEdition.objects.bulk_create(
            [LanguageEdition(pk=which)], ignore_conflicts=True
        )
        edition = LanguageEdition.objects.filter(pk=which)
        edition.update(number=F("number") + 1, raised_at=timezone.now())
