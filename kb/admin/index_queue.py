"""What the index has not caught up with: to look at, not to touch."""

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
        where = reverse("admin:kb_entry_change", args=[mark.entry_id])
        return format_html('<a href="{}">#{}</a>', where, mark.entry_id)
