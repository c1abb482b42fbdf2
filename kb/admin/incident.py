"""公告: written, timed and ended by editors; the clock does the rest."""

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

from kb import incidents
from kb.admin.base import short
from kb.admin.gated import GatedAdmin
from kb.admin.notice_reach import NoticeReachMixin
from kb.models import Incident
from kb.models.incident import State

USUAL = timedelta(hours=4)  # that a new notice lasts until somebody says otherwise
TONES = {State.COMING: "warn", State.RUNNING: "ok", State.OVER: ""}
ROWS = {"body": 5, "keywords": 3}


class StateFilter(admin.SimpleListFilter):
    title = "状态"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, str(state.label)) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Incident]) -> Any:
        state = next((one for one in State if one.value == self.value()), None)
        if state is None:
            return queryset
        return Incident.objects.in_state(state, at=timezone.now())


@admin.register(Incident)
class IncidentAdmin(NoticeReachMixin, GatedAdmin):
    list_display = ["title", "shown_state", "audience", "starts", "ends", "created_by"]
    list_filter = [StateFilter, "audience"]
    list_select_related = ["created_by"]
    search_fields = ["title", "body", "keywords"]
    actions = ["end_now"]
    fieldsets = [
        (None, {"fields": ["title", "body", "audience"]}),
        ("什么时候", {"fields": [("starts_at", "ends_at")]}),
        ("出现在哪里", {"fields": ["keywords", "reach", "entry"]}),
    ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"ends_at": timezone.now() + USUAL}

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: Any, **kwargs: Any
    ) -> Any:
        if rows := ROWS.get(db_field.name):
            kwargs["widget"] = forms.Textarea({"rows": rows, "cols": 60})
        if db_field.name == "title":
            kwargs["widget"] = forms.TextInput({"class": "vLargeTextField"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Incident, form: Any, change: bool
    ) -> None:
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    @admin.action(description="现在结束所选的公告", permissions=["change"])
    def end_now(self, request: HttpRequest, chosen: QuerySet[Incident]) -> None:
        for incident in chosen:
            if not self.has_change_permission(request, incident):
                messages.warning(request, f"「{incident}」不在您负责的范围里。")
            elif incidents.end(incident):
                messages.success(request, f"「{incident}」已结束。")
            else:
                messages.warning(request, f"「{incident}」没有在进行，不用结束。")

    @admin.display(description="状态", ordering="starts_at")
    def shown_state(self, incident: Incident) -> SafeString:
        state = incident.state
        badge = '<span class="badge {}">{}</span>'
        return format_html(badge, TONES[state], state.label)

    @admin.display(description="开始", ordering="starts_at")
    def starts(self, incident: Incident) -> str:
        return short(incident.starts_at)

    @admin.display(description="结束", ordering="ends_at")
    def ends(self, incident: Incident) -> str:
        return short(incident.ends_at)
