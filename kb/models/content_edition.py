"""What public pages are made of besides entries: their edition, neighbours and readers."""

from __future__ import annotations

from django.db import models

from kb.models.entry import Entry


class ContentEdition(models.Model):
    """One row, raised by every change of what pages show, in its transaction.

    The outline is what stands around entries: sites and categories. It changes
    far less often. The moments tell two editions apart that have the same number
    because one of them was rolled back after somebody had read it.
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


class RelatedEntries(models.Model):
    """Entries about the same matter, as strangers would find them; a kept search."""

    entry = models.OneToOneField(
        Entry, on_delete=models.CASCADE, related_name="neighbours"
    )
    ids = models.JSONField(default=dict)  # by what the site shows
    version = models.PositiveIntegerField()  # of the entry
    found_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"#{self.entry_id} → {self.ids}"


class PageView(models.Model):
    """How often customers opened an entry on one day: a sum, of nobody in particular."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="reads")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "day"], name="kb_read_once_a_day")
        ]
        indexes = [models.Index(fields=["day", "entry"])]

    def __str__(self) -> str:
        return f"#{self.entry_id} {self.day}: {self.count}"
