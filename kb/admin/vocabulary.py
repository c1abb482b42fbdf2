"""词汇: synonyms, dictionary words and stop words; the next search uses them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field
from django.utils.safestring import SafeString

from kb.admin.base_admin import BaseAdmin, render_yes_no_badge
from kb.admin.preview_panel import PreviewPanelMixin
from kb.models import DictionaryWord, StopWord, SynonymSet


@admin.register(SynonymSet)
class SynonymSetAdmin(PreviewPanelMixin, BaseAdmin):
    list_display = ["synonyms_text", "topic", "two_way_badge"]
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
    def two_way_badge(self, row: SynonymSet) -> SafeString:
        return render_yes_no_badge(row.two_way)

    @admin.display(description="同义词", ordering="members")
    def synonyms_text(self, row: SynonymSet) -> str:
        return str(row)


@admin.register(DictionaryWord)
class DictionaryWordAdmin(PreviewPanelMixin, BaseAdmin):
    list_display = ["text", "tag"]
    list_filter = ["tag"]
    search_fields = ["text"]
    fields = ["text", "tag"]


@admin.register(StopWord)
class StopWordAdmin(PreviewPanelMixin, BaseAdmin):
    list_display = ["text"]
    search_fields = ["text"]
    fields = ["text"]
