"""操作记录: who did what, when and from where; for leads to read, for nobody to change."""

from __future__ import annotations

from django.contrib import admin

from kb.admin.base_admin import ReadOnlyAdmin
from kb.models import AuditEvent, TextRevision


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "who", "act", "what", "address"]
    list_filter = ["act", "at"]
    search_fields = ["who", "what", "address"]
    date_hierarchy = "at"
    fields = ["at", "who", "act", "what", "address"]


@admin.register(TextRevision)
class TextRevisionAdmin(ReadOnlyAdmin):
    """What became of texts outside of entries; also of those that are gone."""

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
