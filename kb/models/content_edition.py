"""What public pages are made of besides entries: their edition, neighbours and readers."""

from __future__ import annotations

from django.db import models


class ContentEdition(models.Model):
    """One row, raised by every change of what pages show, in its transaction.

    The outline is what stands around entries: sites and categories. It changes
    far less often. The moments tell two editions apart that have the same number
    because one of them was rolled back after somebody had read it.
    """

    number = models.PositiveBigIntegerField("版次", default=0)
    raised_at = models.DateTimeField("更新时间")
    outline = models.PositiveBigIntegerField("栏目版次", default=0)
    outlined_at = models.DateTimeField("栏目更新时间", null=True)

    class Meta:
        verbose_name = "内容版次"
        verbose_name_plural = "内容版次"

    def __str__(self) -> str:
        return f"#{self.number}"
