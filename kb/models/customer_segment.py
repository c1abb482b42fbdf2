"""Customer segments (客户类型): kinds of customers who get replies of their own."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from kb.text.chinese import normalize


class CustomerSegment(models.Model):
    """A kind of customer such as 新客 or 高净值. Agents see them by `position`."""

    name = models.CharField("名称", max_length=20, unique=True)
    position = models.PositiveSmallIntegerField("次序", default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = "客户类型"
        verbose_name_plural = "客户类型"
        constraints = [
            models.CheckConstraint(
                condition=~Q(name=""), name="kb_customersegment_has_name"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.name = normalize.clean_single_line(self.name)
