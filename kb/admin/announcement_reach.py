"""Which of last week's searches would have shown an announcement, beside its form."""

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

from kb.models import Announcement
from kb.publishing import announcements
from kb.text.chinese.keywords import split_keywords

if TYPE_CHECKING:
    AnnouncementAdminBase = admin.ModelAdmin[Announcement]
else:
    AnnouncementAdminBase = object

REACH_TEMPLATE = "admin/kb/announcements/_reach.html"
MAX_KEYWORDS_CHARS = 2000


class AnnouncementReachMixin(AnnouncementAdminBase):
    """Adds the read-only field `reach_panel` and the address that updates it."""

    change_form_template = "admin/kb/announcements/change_form.html"
    readonly_fields = ("reach_panel",)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.show_reach_view)
        return [path("reach/", view, name="kb_announcement_reach"), *super().get_urls()]

    def show_reach_view(self, request: HttpRequest) -> HttpResponse:
        """Return the HTML of the panel for the keywords and the audience of the form."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        keywords = request.POST.get("keywords", "")[:MAX_KEYWORDS_CHARS]
        context = _build_reach_context(keywords, request.POST.get("audience", ""))
        return render(request, REACH_TEMPLATE, context)

    @admin.display(description="上周的搜索")
    def reach_panel(self, announcement: Announcement | None) -> SafeString:
        keywords = announcement.keywords if announcement else ""
        audience = (
            announcement.audience if announcement else Announcement.Audience.STAFF
        )
        return format_html(
            '<div id="announcement-reach" data-address="{}" role="status">{}</div>',
            reverse("admin:kb_announcement_reach"),
            render_to_string(REACH_TEMPLATE, _build_reach_context(keywords, audience)),
        )

    def response_add(self, request: HttpRequest, obj: Announcement, *more: Any) -> Any:
        _warn_if_never_shown(request, obj)
        return super().response_add(request, obj, *more)

    def response_change(self, request: HttpRequest, obj: Announcement) -> Any:
        _warn_if_never_shown(request, obj)
        return super().response_change(request, obj)


def _build_reach_context(keywords: str, audience: str) -> dict[str, Any]:
    words = split_keywords(keywords)
    reach = announcements.estimate_reach(words, audience=audience) if words else None
    return {"keywords": words, "reach": reach}


def _warn_if_never_shown(request: HttpRequest, announcement: Announcement) -> None:
    words = announcement.list_keywords()
    if not words:
        return
    reach = announcements.estimate_reach(words, audience=announcement.audience)
    if reach.total_searches and not reach.matched_searches:
        keywords = "、".join(words)
        messages.warning(
            request,
            f"上周的搜索里没有一次会显示「{announcement}」，请检查关键词：{keywords}。",
        )
