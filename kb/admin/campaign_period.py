"""档期: campaign periods; a change of the dates moves all their entries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb.admin.base_admin import format_local_time
from kb.admin.category import build_entry_count
from kb.admin.gated_admin import GatedAdmin
from kb.library import entries, text_gate
from kb.models import CampaignPeriod, TextRevision


@admin.register(CampaignPeriod)
class CampaignPeriodAdmin(GatedAdmin):
    list_display = ["name", "starts_at", "ends_at", "entry_count_link"]
    search_fields = ["name"]
    fields = ["name", ("starts_at", "ends_at")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(entry_total=build_entry_count("window"))
        return counted

    def get_choice_label(self, row: CampaignPeriod) -> str:
        """Return the name with the dates: last year's period has the same name."""
        start = _format_period_bound(row.starts_at)
        return f"{row.name}（{start} 至 {_format_period_bound(row.ends_at)}）"

    def save_model(
        self, request: HttpRequest, obj: CampaignPeriod, form: Any, change: bool
    ) -> None:
        before = CampaignPeriod.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        dates = (obj.starts_at, obj.ends_at)
        if before is not None and dates != (before.starts_at, before.ends_at):
            count = entries.count_entries_in_period(obj)
            messages.success(request, f"{count} 个条目跟着改了时间。")

    def save_gated_text(self, row: CampaignPeriod, by: Any) -> None:
        text_gate.save_text_row(row, by=by, write=entries.save_campaign_period)

    def restore_gated_text(self, revision: TextRevision, by: Any) -> None:
        text_gate.restore_text(revision, by=by, write=entries.save_campaign_period)

    @admin.display(description="条目", ordering="entry_total")
    def entry_count_link(self, period: Any) -> SafeString:
        url = reverse("admin:kb_entry_changelist")
        link = '<a href="{}?window__id__exact={}">{}</a>'
        return format_html(link, url, period.pk, period.entry_total)


def _format_period_bound(moment: datetime | None) -> str:
    return format_local_time(moment) if moment else "不限"
