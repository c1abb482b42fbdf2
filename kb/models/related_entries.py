"""Entries related to an entry, from a search whose result is kept."""

from __future__ import annotations

from django.db import models

from kb.models.entry import Entry


class RelatedEntries(models.Model):
    """Entries about the same matter, as strangers would find them; a kept search."""

    entry = models.OneToOneField(
        Entry, on_delete=models.CASCADE, related_name="related_entries"
    )
    ids = models.JSONField(default=dict)  # by what the site shows
    version = models.PositiveIntegerField()  # of the entry
    found_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"#{self.entry_id} → {self.ids}"
