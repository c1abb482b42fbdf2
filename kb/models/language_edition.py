"""The edition of the vocabulary and of the style rules."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.utils import timezone


class LanguageEdition(models.Model):
    """A row a list, raised by every change of it in its transaction.

    The moment tells two editions apart that have the same number because one
    of them was rolled back after somebody had read it.
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
        """Have every process read the list anew, once this transaction commits."""
        LanguageEdition.objects.bulk_create(
            [LanguageEdition(pk=which)], ignore_conflicts=True
        )
        one = LanguageEdition.objects.filter(pk=which)
        one.update(number=F("number") + 1, raised_at=timezone.now())
