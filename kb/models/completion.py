"""Completions: texts of published entries that autocomplete suggests."""

from __future__ import annotations

from typing import Any

from django.db import models

from kb.models.entry import Entry
from kb.text.chinese.autocomplete_keys import MAX_KEY_UNITS


class PrefixKeyField(models.CharField):  # type: ignore[type-arg]
    """A key that is ordered by code points, so that a prefix is a range on every database."""

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        collation = {"postgresql": "C"}.get(connection.vendor)
        return {**super().db_parameters(connection), "collation": collation}


class Completion(models.Model):
    """A text of a published entry, with the keys of one position to type it from.

    A derived copy; only `kb.index.autocomplete` writes it. The keys are explained in
    kb.text.chinese.autocomplete_keys. Each index covers the search for a prefix and
    its order, so that only the rows that are shown are read.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=200)
    # 0: from the start of the text, 1: from a word inside. SQLite uses no index for
    # a boolean.
    inside = models.PositiveSmallIntegerField()
    place = models.PositiveSmallIntegerField()
    letters = PrefixKeyField(max_length=MAX_KEY_UNITS)
    sound = PrefixKeyField(max_length=MAX_KEY_UNITS * 9)
    initials = PrefixKeyField(max_length=MAX_KEY_UNITS)
    lengths = models.CharField(max_length=MAX_KEY_UNITS)
    public = models.BooleanField()
    uses = models.PositiveIntegerField(default=0)
    length = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = "输入提示"
        verbose_name_plural = "输入提示"
        indexes = [
            *(
                models.Index(
                    fields=["inside", key, "public", "uses", "length", "entry"],
                    name=f"kb_completion_{key}",
                )
                for key in ("letters", "sound", "initials")
            ),
            models.Index(
                fields=["inside", "-uses", "length", "id"], name="kb_completion_rank"
            ),
        ]

    def __str__(self) -> str:
        return self.text
