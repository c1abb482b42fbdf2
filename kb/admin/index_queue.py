"""Entries that the search index must still read; read-only."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb.admin.base_admin import ReadOnlyAdmin
from kb.models import IndexQueue


@admin.register(IndexQueue)
class IndexQueueAdmin(ReadOnlyAdmin):
    list_display = ["entry_link", "marked_at", "due_at"]
    list_display_links = None

    @admin.display(description="条目", ordering="entry_id")
    def entry_link(self, mark: IndexQueue) -> SafeString:
        url = reverse("admin:kb_entry_change", args=[mark.entry_id])
        return format_html('<a href="{}">#{}</a>', url, mark.entry_id)
