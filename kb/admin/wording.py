"""Wording rules: what is changed here is looked for from the next look on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Field
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb import wording
from kb.admin.lookup import is_id
from kb.admin.panel import Panelled
from kb.admin.scoped import ScopedAdmin
from kb.models import WordingRule
from kb.wording import supposing

TONES = {"error": "bad", "warn": "warn", "off": ""}
WIDE = {"reason", "suggestion", "exceptions"}


SHOWN = 8  # entries that say what a rule is about


class Tried(forms.Form):
    """A passage, and the rule as it stands in the form; without one, as things are."""

    q = forms.CharField(required=False, max_length=200)
    row = forms.CharField(required=False, max_length=20)

    def changed(self, sent: Mapping[str, Any]) -> WordingRule | None:
        """Return the rule as it would be saved, or None where no words are typed."""
        if not sent.get("text", "").strip():
            return None
        number = self.cleaned_data["row"]
        kept = WordingRule.objects.filter(pk=number if is_id(number) else 0).first()
        row = kept or WordingRule()
        for name in ("kind", "text", "severity", "faces", "exceptions", "suggestion"):
            setattr(row, name, sent.get(name, "")[:500].replace("\0", ""))
        row.reason = sent.get("reason", "")[:100].replace("\0", "")
        limit = sent.get("limit", "")
        row.limit = int(limit) if limit.isascii() and limit.isdecimal() else None
        return row


@admin.register(WordingRule)
class WordingRuleAdmin(Panelled, ScopedAdmin):
    panel = "admin/kb/style_rules/_panel.html"
    headline = "会查出什么"
    asked = "一句话"
    hint = "写一句话，看现在和保存以后各查出什么，库里哪些条目这样写了。"
    watched = "kind text severity faces reason suggestion exceptions limit"
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

    def tried(self, request: HttpRequest, sent: Mapping[str, Any]) -> dict[str, Any]:
        form = Tried(sent)
        if not form.is_valid():
            return {"refused": ["这句话太长，或填的内容不对。"], "q": ""}
        words = form.cleaned_data["q"].strip()
        context: dict[str, Any] = {"q": words, "shown": SHOWN}
        if not words:
            return context
        context["now"] = supposing.found(wording.in_force(), words)
        row = form.changed(sent)
        if row is None:
            return context
        try:
            rules = supposing.instead(row, wording.CHECK)
        except ValidationError as error:
            return context | {"refused": error.messages}
        holders = supposing.holders(row, wording.CHECK)
        return context | {
            "row": row,
            "then": supposing.found(rules, words),
            "holders": holders,
        }

    @admin.display(description="级别", ordering="severity")
    def grade(self, rule: WordingRule) -> SafeString:
        badge = '<span class="badge {}">{}</span>'
        return format_html(badge, TONES[rule.severity], rule.get_severity_display())
