"""The form of a notice shows which of last week's searches would have shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb import incidents
from kb.models import Incident
from kb.text.keywords import split_keywords

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Incident]
else:
    Base = object

TEMPLATE = "admin/kb/announcements/_reach.html"
MAX_KEYWORDS_CHARS = 2000


class NoticeReachMixin(Base):
    """Adds the read-only field `reach` and the address that keeps it up to date."""

    change_form_template = "admin/kb/announcements/change_form.html"
    readonly_fields = ("reach",)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.reach_view)
        return [path("reach/", view, name="kb_incident_reach"), *super().get_urls()]

    def reach_view(self, request: HttpRequest) -> HttpResponse:
        """Return the panel for what stands in the form, as a piece of HTML."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        keywords = request.POST.get("keywords", "")[:MAX_KEYWORDS_CHARS]
        context = _context(keywords, request.POST.get("audience", ""))
        return render(request, TEMPLATE, context)

    @admin.display(description="上周的搜索")
    def reach(self, incident: Incident | None) -> SafeString:
        keywords = incident.keywords if incident else ""
        audience = incident.audience if incident else Incident.Audience.STAFF
        return format_html(
            '<div id="notice-reach" data-address="{}" role="status">{}</div>',
            reverse("admin:kb_incident_reach"),
            render_to_string(TEMPLATE, _context(keywords, audience)),
        )

    def response_add(self, request: HttpRequest, obj: Incident, *more: Any) -> Any:
        _warn_if_never_shown(request, obj)
        return super().response_add(request, obj, *more)

    def response_change(self, request: HttpRequest, obj: Incident) -> Any:
        _warn_if_never_shown(request, obj)
        return super().response_change(request, obj)


def _context(keywords: str, audience: str) -> dict[str, Any]:
    words = split_keywords(keywords)
    reach = incidents.reach(words, audience=audience) if words else None
    return {"keywords": words, "reach": reach}


def _warn_if_never_shown(request: HttpRequest, incident: Incident) -> None:
    words = incident.words()
    if not words:
        return
    reach = incidents.reach(words, audience=incident.audience)
    if reach.total and not reach.matched:
        said = "、".join(words)
        messages.warning(
            request,
            f"上周的搜索里没有一次会显示「{incident}」，请检查关键词：{said}。",
        )
