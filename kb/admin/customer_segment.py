"""客户类型: customer segments, for which replies can be written."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.widgets import AdminIntegerFieldWidget
from django.db.models import PositiveSmallIntegerField

from kb.admin.gated_admin import GatedAdmin
from kb.models import CustomerSegment


@admin.register(CustomerSegment)
class CustomerSegmentAdmin(GatedAdmin):
    formfield_overrides = {
        PositiveSmallIntegerField: {
            "widget": AdminIntegerFieldWidget({"aria-label": "次序"})
        }
    }
    list_display = ["name", "position"]
    list_editable = ["position"]
    search_fields = ["name"]
    fields = ["name", "position"]
