"""搜索: what people searched for, and what they used of it; read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from kb.admin.base_admin import ReadOnlyAdmin, format_local_time
from kb.models import Search


class SearchOutcomeFilter(admin.SimpleListFilter):
    title = "结果"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("none", "没有结果"), ("some", "有结果"), ("used", "用了某一条")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Search]
    ) -> QuerySet[Search]:
        conditions: dict[str, dict[str, Any]] = {
            "none": {"results": 0},
            "some": {"results__gt": 0},
            "used": {"entry__isnull": False},
        }
        return queryset.filter(**conditions.get(self.value() or "", {}))


@admin.register(Search)
class SearchAdmin(ReadOnlyAdmin):
    list_display = [
        "words",
        "results",
        "entry_link",
        "rank",
        "side",
        "by",
        "search_time",
    ]
    list_display_links = None
    list_filter = [SearchOutcomeFilter, "side", "created_at"]
    list_select_related = ["entry", "by"]
    search_fields = ["words"]
    date_hierarchy = "created_at"

    @admin.display(description="时间", ordering="created_at")
    def search_time(self, search: Search) -> str:
        return format_local_time(search.created_at)

    @admin.display(description="用了哪条", ordering="entry")
    def entry_link(self, search: Search) -> str | SafeString:
        if search.entry is None:
            return "—"
        url = reverse("admin:kb_entry_change", args=[search.entry_id])
        name = Truncator(search.entry.question).chars(20)
        return format_html('<a href="{}">{}</a>', url, name)
