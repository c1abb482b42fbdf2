"""档期: changed once, and every entry in it is in force from then till then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb import entries, text_gate
from kb.admin.base import short
from kb.admin.category import counted
from kb.admin.gated import GatedAdmin
from kb.models import Entry, TextRevision, Window


@admin.register(Window)
class WindowAdmin(GatedAdmin):
    list_display = ["name", "starts_at", "ends_at", "held_"]
    search_fields = ["name"]
    fields = ["name", ("starts_at", "ends_at")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        found: QuerySet[Any] = rows.annotate(held=counted("window"))
        return found

    def label(self, row: Window) -> str:
        """Tell when it is, too: last year's has the same name."""
        return f"{row.name}（{_told(row.starts_at)} 至 {_told(row.ends_at)}）"

    def save_model(
        self, request: HttpRequest, obj: Window, form: Any, change: bool
    ) -> None:
        before = Window.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        dates = (obj.starts_at, obj.ends_at)
        if before is not None and dates != (before.starts_at, before.ends_at):
            moved = Entry.objects.filter(window=obj).count()
            messages.success(request, f"{moved} 个条目跟着改了时间。")

    def write_text(self, row: Window, by: Any) -> None:
        text_gate.save(row, by=by, write=entries.put_window)

    def restore_text(self, revision: TextRevision, by: Any) -> None:
        text_gate.restore(revision, by=by, write=entries.put_window)

    @admin.display(description="条目", ordering="held")
    def held_(self, window: Any) -> SafeString:
        where = reverse("admin:kb_entry_changelist")
        link = '<a href="{}?window__id__exact={}">{}</a>'
        return format_html(link, where, window.pk, window.held)


def _told(moment: datetime | None) -> str:
    return short(moment) if moment else "不限"
