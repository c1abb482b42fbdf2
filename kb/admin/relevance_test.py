"""搜索验收: searches with the entry that they must find; runs set the rank."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from kb.admin.scoped_admin import ScopedAdmin
from kb.models import RelevanceTest


class RelevanceOutcomeFilter(admin.SimpleListFilter):
    title = "结果"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("fails", "不达标"), ("holds", "达标"), ("new", "还没跑")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[RelevanceTest]:
        failing: QuerySet[RelevanceTest] = queryset.failing()
        if self.value() == "fails":
            return failing
        if self.value() == "holds":
            return RelevanceTest.objects.with_result().exclude(
                pk__in=failing.values("pk")
            )
        rows: QuerySet[RelevanceTest] = queryset
        return rows.filter(rank=None) if self.value() == "new" else rows


@admin.register(RelevanceTest)
class RelevanceTestAdmin(ScopedAdmin):
    list_display = ["words", "side", "expected_entry_link", "within", "rank_badge"]
    list_filter = [RelevanceOutcomeFilter, "side", "within"]
    list_select_related = ["entry"]
    search_fields = ["words", "entry__question"]
    fields = ["words", "side", "entry", "within", "rank_badge"]
    readonly_fields = ["rank_badge"]

    def save_model(
        self, request: HttpRequest, obj: RelevanceTest, form: Any, change: bool
    ) -> None:
        """Save the test without a rank: what it expects now was not run yet."""
        obj.rank, obj.above = None, []
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    @admin.display(description="应该找到", ordering="entry")
    def expected_entry_link(self, row: RelevanceTest) -> str | SafeString:
        if row.entry is None:
            return "不该有结果"
        url = reverse("admin:kb_entry_change", args=[row.entry_id])
        name = Truncator(row.entry.question).chars(24)
        return format_html('<a href="{}">{}</a>', url, name)

    @admin.display(description="现在名次", ordering="rank")
    def rank_badge(self, row: RelevanceTest) -> str | SafeString:
        if row.rank is None:
            return "还没跑"
        label = f"第 {row.rank} 名" if row.rank else "没有找到"
        if row.entry is None:
            label = "有结果" if row.rank else "没有结果"
        css_class = "bad" if row.is_failing else "ok"
        return format_html('<span class="badge {}">{}</span>', css_class, label)
