"""How strongly picks speak for an entry as the answer to some words."""

from __future__ import annotations

from django.db import models

from kb.models.entry import Entry
from kb.models.search import SearchSide, SearchWordsMixin


class Evidence(SearchWordsMixin):
    """The sum of picks: how strongly `words` ask for `entry`, on one side.

    Only `kb.usage` writes it. `level` 0 has no effect on search; `people` is the
    number of readers. `refused`: an editor has refused the words as a phrasing,
    which stays valid after the picks have expired.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="evidence")
    side = models.CharField(max_length=6, choices=SearchSide.choices)
    level = models.PositiveSmallIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)
    refused = models.BooleanField(default=False)
    review = models.ForeignKey(  # which proposes the words as a phrasing
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
