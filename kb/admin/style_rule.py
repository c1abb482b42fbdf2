"""用词规则: style rules, with a preview of what a rule would find."""

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

from kb.admin.autocomplete_lookup import is_valid_id
from kb.admin.preview_panel import PreviewPanelMixin
from kb.admin.scoped_admin import ScopedAdmin
from kb.language import style_rules
from kb.language.style_rules import rule_preview
from kb.models import StyleRule

SEVERITY_BADGE_CLASSES = {"error": "bad", "warn": "warn", "off": ""}
WIDE_TEXT_FIELDS = {"reason", "suggestion", "exceptions"}
MAX_SHOWN_ENTRIES = 8  # of those that a rule would find


class StyleRulePreviewForm(forms.Form):
    """A sentence, and the rule as it is in the form; without it only the sentence."""

    q = forms.CharField(required=False, max_length=200)
    row = forms.CharField(required=False, max_length=20)

    def build_changed_rule(self, query: Mapping[str, Any]) -> StyleRule | None:
        """Return the rule as it would be saved, or None where it has no text yet."""
        if not query.get("text", "").strip():
            return None
        number = self.cleaned_data["row"]
        pk = number if is_valid_id(number) else 0
        row = StyleRule.objects.filter(pk=pk).first() or StyleRule()
        for name in ("kind", "text", "severity", "faces", "exceptions", "suggestion"):
            setattr(row, name, query.get(name, "")[:500].replace("\0", ""))
        row.reason = query.get("reason", "")[:100].replace("\0", "")
        limit = query.get("limit", "")
        row.limit = int(limit) if limit.isascii() and limit.isdecimal() else None
        return row


@admin.register(StyleRule)
class StyleRuleAdmin(PreviewPanelMixin, ScopedAdmin):
    panel_template = "admin/kb/style_rules/_panel.html"
    panel_title = "会查出什么"
    input_label = "一句话"
    panel_hint = "写一句话，看现在和保存以后各查出什么，库里哪些条目这样写了。"
    watched_fields = "kind text severity faces reason suggestion exceptions limit"
    list_display = ["text", "kind", "severity_badge", "faces", "suggestion"]
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
        if db_field.name in WIDE_TEXT_FIELDS:
            kwargs["widget"] = forms.TextInput({"class": "vLargeTextField"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def build_panel_context(
        self, request: HttpRequest, query: Mapping[str, Any]
    ) -> dict[str, Any]:
        form = StyleRulePreviewForm(query)
        if not form.is_valid():
            return {"refused": ["这句话太长，或填的内容不对。"], "q": ""}
        words = form.cleaned_data["q"].strip()
        context: dict[str, Any] = {"q": words, "shown": MAX_SHOWN_ENTRIES}
        if not words:
            return context
        context["now"] = rule_preview.find_rule_matches(
            style_rules.get_active_rules(), words
        )
        row = form.build_changed_rule(query)
        if row is None:
            return context
        try:
            rules = rule_preview.build_rules_with(row, style_rules.CHECK_KIND_LABEL)
        except ValidationError as error:
            return context | {"refused": error.messages}
        matching_entries = rule_preview.find_entries_matching_rule(
            row, style_rules.CHECK_KIND_LABEL
        )
        return context | {
            "row": row,
            "then": rule_preview.find_rule_matches(rules, words),
            "matching_entries": matching_entries,
        }

    @admin.display(description="级别", ordering="severity")
    def severity_badge(self, rule: StyleRule) -> SafeString:
        badge = '<span class="badge {}">{}</span>'
        return format_html(
            badge, SEVERITY_BADGE_CLASSES[rule.severity], rule.get_severity_display()
        )
