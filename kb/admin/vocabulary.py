"""Vocabulary: what editors change here is in force at the next search."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field
from django.utils.safestring import SafeString

from kb.admin.base import Curation, tick
from kb.admin.panel import Panelled
from kb.models import StopWord, SynonymSet, Word


@admin.register(SynonymSet)
class SynonymSetAdmin(Panelled, Curation):
    list_display = ["together", "topic", "both_ways"]
    list_filter = ["topic", "two_way"]
    search_fields = ["members", "topic"]
    fields = ["members", "two_way", "topic"]

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: Any, **kwargs: Any
    ) -> Any:
        if db_field.name == "members":
            kwargs["widget"] = forms.Textarea({"rows": 6, "cols": 40})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="双向", ordering="two_way")
    def both_ways(self, row: SynonymSet) -> SafeString:
        return tick(row.two_way)

    @admin.display(description="同义词", ordering="members")
    def together(self, row: SynonymSet) -> str:
        return str(row)


@admin.register(Word)
class WordAdmin(Panelled, Curation):
    list_display = ["text", "tag"]
    list_filter = ["tag"]
    search_fields = ["text"]
    fields = ["text", "tag"]


@admin.register(StopWord)
class StopWordAdmin(Panelled, Curation):
    list_display = ["text"]
    search_fields = ["text"]
    fields = ["text"]
