"""What the index has not caught up with: to look at, not to touch."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb.admin.base import Curation
from kb.models import Stale


@admin.register(Stale)
class StaleAdmin(Curation):
    list_display = ["entry", "marked_at"]
    list_display_links = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="条目", ordering="entry_id")
    def entry(self, mark: Stale) -> SafeString:
        where = reverse("admin:kb_entry_change", args=[mark.entry_id])
        return format_html('<a href="{}">#{}</a>', where, mark.entry_id)
