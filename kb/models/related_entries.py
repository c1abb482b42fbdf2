"""Entries related to an entry, from a search whose result is kept."""

from __future__ import annotations

from django.db import models

from kb.models.entry import Entry


class RelatedEntries(models.Model):
    """The ids of related entries, as an anonymous reader would find them."""

    entry = models.OneToOneField(
        Entry, on_delete=models.CASCADE, related_name="related_entries"
    )
    ids = models.JSONField(default=dict)  # {scope of the site: [id, …]}
    version = models.PositiveIntegerField()  # of the entry
    found_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"#{self.entry_id} → {self.ids}"
