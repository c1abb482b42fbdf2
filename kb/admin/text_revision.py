"""Revisions of texts outside of entries; read-only."""

from __future__ import annotations

from django.contrib import admin

from kb.admin.base_admin import ReadOnlyAdmin
from kb.models import TextRevision


@admin.register(TextRevision)
class TextRevisionAdmin(ReadOnlyAdmin):
    """All revisions, also of rows that were deleted since."""

    list_display = ["at", "by", "content_type", "name", "act", "column_label"]
    list_filter = ["act", "content_type", "at"]
    list_select_related = ["by", "content_type"]
    search_fields = ["name", "before", "after"]
    date_hierarchy = "at"
    fields = [
        "at",
        "by",
        "content_type",
        "name",
        "act",
        "column_label",
        "before",
        "after",
    ]

    @admin.display(description="哪一项")
    def column_label(self, revision: TextRevision) -> str:
        return revision.field_label
