"""A tag: a word that entries of several categories have in common."""

from __future__ import annotations

from typing import Any

from django.db import models

from kb.models.traditional_name import build_traditional_name_field, convert_saved_name


class Tag(models.Model):
    """A word that entries of several categories have in common."""

    name = models.CharField("名称", max_length=30, unique=True)
    own_hant = build_traditional_name_field()
    hant = models.CharField(max_length=60, editable=False, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "标签"
        verbose_name_plural = "标签"
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="kb_tag_has_name")
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.hant = convert_saved_name(self.name, kwargs)
        super().save(*args, **kwargs)
