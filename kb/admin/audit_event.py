"""操作记录: who did what, when and from where; read-only, for leads."""

from __future__ import annotations

from django.contrib import admin

from kb.admin.base_admin import ReadOnlyAdmin
from kb.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "who", "act", "what", "address"]
    list_filter = ["act", "at"]
    search_fields = ["who", "what", "address"]
    date_hierarchy = "at"
    fields = ["at", "who", "act", "what", "address"]
