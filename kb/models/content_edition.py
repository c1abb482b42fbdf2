"""The edition of the content: a number that every change of public pages raises."""

from __future__ import annotations

from django.db import models


class ContentEdition(models.Model):
    """One row, raised in the transaction of every change that pages show.

    The outline is the edition of sites and categories alone, which change far less
    often. The times tell two editions with the same number apart: one of them was
    rolled back after another process had read it.
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
