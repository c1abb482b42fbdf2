"""Teams of colleagues and kinds of customers: for whom a reply is."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AdminIntegerFieldWidget
from django.db.models import Count, PositiveSmallIntegerField, QuerySet
from django.http import HttpRequest

from kb.admin.base_admin import BaseAdmin
from kb.admin.gated_admin import GatedAdmin
from kb.models import CustomerSegment, Team


@admin.register(Team)
class TeamAdmin(BaseAdmin):
    list_display = ["name", "member_count"]
    ordering = ["name"]
    search_fields = ["name"]
    fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        found: QuerySet[Any] = rows.annotate(size_=Count("members"))
        return found

    @admin.display(description="人数", ordering="size_")
    def member_count(self, team: Any) -> int:
        return int(team.size_)


@admin.register(CustomerSegment)
class CustomerSegmentAdmin(GatedAdmin):
    formfield_overrides = {
        PositiveSmallIntegerField: {
            "widget": AdminIntegerFieldWidget({"aria-label": "次序"})
        }
    }
    list_display = ["name", "position"]
    list_editable = ["position"]
    search_fields = ["name"]
    fields = ["name", "position"]
