"""操作记录: who did what, when and from where; for leads to read, for nobody to change."""

from __future__ import annotations

from django.contrib import admin

from kb.admin.base import ReadOnly
from kb.models import Deed


@admin.register(Deed)
class DeedAdmin(ReadOnly):
    list_display = ["at", "who", "act", "what", "address"]
    list_filter = ["act", "at"]
    search_fields = ["who", "what", "address"]
    date_hierarchy = "at"
    fields = ["at", "who", "act", "what", "address"]
