"""An entry that a person picked for the words of a search."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from kb.models.entry import Entry
from kb.models.search import SearchSide, SearchWordsMixin


class Pick(SearchWordsMixin):
    """One reader used `entry` after a search for `words`; doing so again renews the row.

    `person` is a keyed hash of the reader.
    """

    class Kind(models.TextChoices):
        COPIED = "copied", "复制了话术"
        HELPFUL = "helpful", "说有帮助"

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="picks")
    side = models.CharField(max_length=6, choices=SearchSide.choices)
    person = models.CharField(max_length=24)
    rank = models.PositiveIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "side", "words_key", "person"], name="kb_pick_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.words} → #{self.entry_id}"
