"""Rules of the widget: what it begins with, by the page where it stands."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey
from django.http import HttpRequest

from kb.admin.base import Curation, WholeForm
from kb.admin.category import category_field
from kb.models import WidgetRule


class WidgetRuleForm(WholeForm):
    class Meta:
        model = WidgetRule
        fields: list[str] = []  # the admin names them


@admin.register(WidgetRule)
class WidgetRuleAdmin(Curation):
    form = WidgetRuleForm
    list_display = ["pattern", "category", "tag", "query", "site", "order"]
    list_select_related = ["category", "tag", "site"]
    search_fields = ["pattern", "query"]
    autocomplete_fields = ["tag"]
    fields = ["pattern", "category", "tag", "query", "site", "order"]

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "category":
            return category_field(db_field, **kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
