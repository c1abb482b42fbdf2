"""An entry that an agent has marked as a favorite."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from kb.models.entry import Entry


class Favorite(models.Model):
    """An entry in the list of favorites of one user."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favorites"
    )
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "收藏"
        verbose_name_plural = "收藏"
        constraints = [
            models.UniqueConstraint(fields=["user", "entry"], name="kb_favorite_once")
        ]

    def __str__(self) -> str:
        return f"{self.user}: #{self.entry_id}"
