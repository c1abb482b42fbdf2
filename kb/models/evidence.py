"""How strongly picks speak for an entry as the answer to some words."""

from __future__ import annotations

from django.db import models

from kb.models.entry import Entry
from kb.models.search import SearchSide, SearchWordsMixin


class Evidence(SearchWordsMixin):
    """What picks say together: how strongly `words` ask for `entry`, on one side.

    The roll-up of Pick; `feedback` alone writes it. An editor who will not have
    the words as a phrasing sets `refused`, which outlives the picks.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="evidence")
    side = models.CharField(max_length=6, choices=SearchSide.choices)
    level = models.PositiveSmallIntegerField(default=0)  # 0 counts for nothing
    people = models.PositiveIntegerField(default=0)
    refused = models.BooleanField(default=False)
    review = models.ForeignKey(  # where it waits to be a phrasing
        "kb.Review", null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-level", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["words_key", "side", "entry"], name="kb_evidence_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.words} → #{self.entry_id}"
