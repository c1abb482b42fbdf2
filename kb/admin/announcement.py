"""公告: editors write announcements, and set when they start and end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb.admin.announcement_reach import AnnouncementReachMixin
from kb.admin.base_admin import format_local_time
from kb.admin.gated_admin import GatedAdmin
from kb.models import Announcement
from kb.models.announcement import AnnouncementState
from kb.publishing import announcements

DEFAULT_DURATION = timedelta(hours=4)  # of a new announcement
STATE_BADGE_CLASSES = {
    AnnouncementState.UPCOMING: "warn",
    AnnouncementState.RUNNING: "ok",
    AnnouncementState.ENDED: "",
}
TEXTAREA_ROWS = {"body": 5, "keywords": 3}


class AnnouncementStateFilter(admin.SimpleListFilter):
    title = "状态"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, str(state.label)) for state in AnnouncementState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> Any:
        state = next(
            (state for state in AnnouncementState if state.value == self.value()), None
        )
        if state is None:
            return queryset
        return Announcement.objects.in_state(state, at=timezone.now())


@admin.register(Announcement)
class AnnouncementAdmin(AnnouncementReachMixin, GatedAdmin):
    list_display = [
        "title",
        "state_badge",
        "audience",
        "start_time",
        "end_time",
        "created_by",
    ]
    list_filter = [AnnouncementStateFilter, "audience"]
    list_select_related = ["created_by"]
    search_fields = ["title", "body", "keywords"]
    actions = ["end_now"]
    fieldsets = [
        (None, {"fields": ["title", "body", "audience"]}),
        ("什么时候", {"fields": [("starts_at", "ends_at")]}),
        ("出现在哪里", {"fields": ["keywords", "reach_panel", "entry"]}),
    ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"ends_at": timezone.now() + DEFAULT_DURATION}

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: Any, **kwargs: Any
    ) -> Any:
        if rows := TEXTAREA_ROWS.get(db_field.name):
            kwargs["widget"] = forms.Textarea({"rows": rows, "cols": 60})
        if db_field.name == "title":
            kwargs["widget"] = forms.TextInput({"class": "vLargeTextField"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Announcement, form: Any, change: bool
    ) -> None:
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    @admin.action(description="现在结束所选的公告", permissions=["change"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        for announcement in queryset:
            if not self.has_change_permission(request, announcement):
                messages.warning(request, f"「{announcement}」不在您负责的范围里。")
            elif announcements.end_announcement(announcement):
                messages.success(request, f"「{announcement}」已结束。")
            else:
                messages.warning(request, f"「{announcement}」没有在进行，不用结束。")

    @admin.display(description="状态", ordering="starts_at")
    def state_badge(self, announcement: Announcement) -> SafeString:
        state = announcement.state
        badge = '<span class="badge {}">{}</span>'
        return format_html(badge, STATE_BADGE_CLASSES[state], state.label)

    @admin.display(description="开始", ordering="starts_at")
    def start_time(self, announcement: Announcement) -> str:
        return format_local_time(announcement.starts_at)

    @admin.display(description="结束", ordering="ends_at")
    def end_time(self, announcement: Announcement) -> str:
        return format_local_time(announcement.ends_at)
