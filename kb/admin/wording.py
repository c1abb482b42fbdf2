"""Wording rules: what is changed here is looked for from the next look on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb.admin.base import Curation
from kb.models import WordingRule

TONES = {"error": "bad", "warn": "warn", "off": ""}
WIDE = {"reason", "suggestion", "exceptions"}


@admin.register(WordingRule)
class WordingRuleAdmin(Curation):
    list_display = ["text", "kind", "grade", "faces", "suggestion"]
    list_filter = ["kind", "severity", "faces"]
    search_fields = ["text", "reason", "suggestion"]
    fields = [
        "kind",
        "text",
        "severity",
        "faces",
        "reason",
        "suggestion",
        "exceptions",
        "limit",
    ]

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: Any, **kwargs: Any
    ) -> Any:
        if db_field.name in WIDE:
            kwargs["widget"] = forms.TextInput({"class": "vLargeTextField"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="级别", ordering="severity")
    def grade(self, rule: WordingRule) -> SafeString:
        badge = '<span class="badge {}">{}</span>'
        return format_html(badge, TONES[rule.severity], rule.get_severity_display())
