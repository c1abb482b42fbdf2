"""A merger: an entry went into another one, and what it took along."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F

from kb.models.entry import Entry


class EntryMerge(models.Model):
    """While the row is there, the address of `other` leads to `entry`.

    `moved` has the ids of what went over, by kind, so that it can be undone.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="merges")
    other = models.OneToOneField(
        Entry, on_delete=models.CASCADE, related_name="merged_into"
    )
    status = models.CharField(max_length=10, choices=Entry.Status.choices)  # before
    moved = models.JSONField(default=dict)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "合并"
        verbose_name_plural = "合并"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(entry=F("other")), name="kb_merger_not_itself"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.other_id} → #{self.entry_id}"
