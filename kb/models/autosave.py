"""Autosaves: what a user typed into the form of an entry and has not saved."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from kb.models.entry import Entry


class Autosave(models.Model):
    """The fields of one form, [[name, value], …]. `entry` is None for a new entry.

    Only the user `by` may read it, and it serves only to fill the form again.
    """

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    entry = models.ForeignKey(
        Entry, null=True, on_delete=models.CASCADE, related_name="+"
    )
    title = models.CharField(max_length=200, blank=True)
    fields = models.JSONField()
    at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-at"]
        verbose_name = "未保存的内容"
        verbose_name_plural = "未保存的内容"
        constraints = [
            models.UniqueConstraint(
                fields=["by", "entry"], name="kb_autosave_one_an_entry"
            )
        ]

    def __str__(self) -> str:
        return self.title or "（还没有写标准问题）"
