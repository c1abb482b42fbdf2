"""Saving a row and what its receivers write in one transaction."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction


class AtomicSaveMixin(models.Model):
    """A row that is saved and deleted in one transaction with its receivers."""

    class Meta:
        abstract = True

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)

    @transaction.atomic
    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        return super().delete(*args, **kwargs)
