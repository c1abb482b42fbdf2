"""The beginnings of what published entries are asked by, for typeahead."""

from __future__ import annotations

from typing import Any

from django.db import models

from kb.models.entry import Entry
from kb.text.chinese.autocomplete_keys import MAX_KEY_UNITS


class PrefixKeyField(models.CharField):  # type: ignore[type-arg]
    """A key in the order of its code points: a prefix is a range, on every database."""

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        ordered = {"postgresql": "C"}.get(connection.vendor)
        return {**super().db_parameters(connection), "collation": ordered}


class Completion(models.Model):
    """A place from which a text of a published entry may be typed.

    A copy, made by `typeahead` alone; kb.text.chinese.autocomplete_keys tells of the keys. Each
    index covers the search for a beginning and its order, so that only rows
    that are shown are read.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=200)
    # 0: the whole text, 1: a word inside. No boolean, for which SQLite uses no index.
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
