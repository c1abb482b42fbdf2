"""团队: teams of colleagues, who can share replies."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from kb.admin.base_admin import BaseAdmin
from kb.models import Team


@admin.register(Team)
class TeamAdmin(BaseAdmin):
    list_display = ["name", "member_count"]
    ordering = ["name"]
    search_fields = ["name"]
    fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(member_total=Count("members"))
        return counted

    @admin.display(description="人数", ordering="member_total")
    def member_count(self, team: Any) -> int:
        return int(team.member_total)
