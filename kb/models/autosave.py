"""What somebody typed on the page of an entry and has not saved: his alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from kb.models.entry import Entry


class Autosave(models.Model):
    """The fields of a form as they were sent, [[name, value], …]; `entry` is none for a new one.

    Nobody but `by` ever meets it, and nothing is made of it but the form again.
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
                fields=["by", "entry"], name="kb_unsaved_one_an_entry"
            )
        ]

    def __str__(self) -> str:
        return self.title or "（还没有写标准问题）"
