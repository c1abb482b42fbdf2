"""Rules of the widget: what it begins with, by the page where it stands."""

from __future__ import annotations

from django.contrib import admin

from kb.admin.scoped_admin import ScopedAdmin, ScopedForm
from kb.models import WidgetRule


class WidgetRuleForm(ScopedForm):
    class Meta:
        model = WidgetRule
        fields: list[str] = []  # the admin names them


@admin.register(WidgetRule)
class WidgetRuleAdmin(ScopedAdmin):
    form = WidgetRuleForm
    list_display = ["pattern", "category", "tag", "query", "site", "order"]
    list_select_related = ["category", "tag", "site"]
    search_fields = ["pattern", "query"]
    fields = ["pattern", "category", "tag", "query", "site", "order"]
