"""Rules of the widget: what it shows first on pages whose address matches."""

from __future__ import annotations

from django.contrib import admin

from kb.admin.scoped_admin import ScopedAdmin, ScopedForm
from kb.models import WidgetRule


class WidgetRuleForm(ScopedForm):
    """A rule of the widget."""

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
