"""A module of the product that entries and questions are about."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Module(models.Model):
    """A part of the product, with the user who is responsible for it."""

    name = models.CharField("名称", max_length=50, unique=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="负责人",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="modules",
    )
    offered = models.BooleanField(
        "顾客可选",
        default=False,
        help_text="顾客提问时可以选它；名称会公开显示。",
    )

    class Meta:
        ordering = ["name"]
        verbose_name = "产品模块"
        verbose_name_plural = "产品模块"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(name=""), name="kb_module_has_name"
            )
        ]

    def __str__(self) -> str:
        return self.name
