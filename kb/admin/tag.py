"""标签: tags of entries."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb.admin.category import build_entry_count
from kb.admin.gated_admin import GatedAdmin
from kb.models import Tag


@admin.register(Tag)
class TagAdmin(GatedAdmin):
    list_display = ["name", "entry_count_link"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(entry_total=build_entry_count("tags"))
        return counted

    @admin.display(description="条目", ordering="entry_total")
    def entry_count_link(self, tag: Any) -> SafeString:
        url = reverse("admin:kb_entry_changelist")
        return format_html(
            '<a href="{}?tags__id__exact={}">{}</a>', url, tag.pk, tag.entry_total
        )
