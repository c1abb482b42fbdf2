"""Merges: an entry that was merged into another one, and what was moved."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F

from kb.models.entry import Entry


class EntryMerge(models.Model):
    """`other` was merged into `entry`; while the row exists, its address redirects there.

    `moved` holds the ids of the rows that were moved, by kind, so that the merge can
    be undone.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="merges")
    other = models.OneToOneField(
        Entry, on_delete=models.CASCADE, related_name="merged_into"
    )
    status = models.CharField(
        max_length=10, choices=Entry.Status.choices
    )  # of `other`, before
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
                condition=~models.Q(entry=F("other")), name="kb_entrymerge_not_itself"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.other_id} → #{self.entry_id}"
