"""What the index has not caught up with: to look at, not to touch."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb.admin.base import ReadOnly
from kb.models import Stale


@admin.register(Stale)
class StaleAdmin(ReadOnly):
    list_display = ["entry", "marked_at", "due_at"]
    list_display_links = None

    @admin.display(description="条目", ordering="entry_id")
    def entry(self, mark: Stale) -> SafeString:
        where = reverse("admin:kb_entry_change", args=[mark.entry_id])
        return format_html('<a href="{}">#{}</a>', where, mark.entry_id)
