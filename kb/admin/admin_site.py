"""The admin site: our words, our login, and the models in the order of the work."""

from __future__ import annotations

from functools import cache, wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from kb.admin import export_views
from kb.admin.autocomplete_lookup import ChoiceAutocompleteView
from kb.admin.imports import import_views
from kb.index import sync
from kb.models.index_queue import MAX_SMALL_BATCH_ENTRIES

MODEL_GROUPS = {
    "内容": [
        "Entry",
        "Question",
        "Inquiry",
        "Snippet",
        "Announcement",
        "Picture",
        "EntryTranslation",
    ],
    "归类": ["Category", "Tag", "Module", "CustomerSegment", "CampaignPeriod"],
    "词汇": ["SynonymSet", "DictionaryWord", "StopWord", "StyleRule", "RelevanceTest"],
    "使用": ["Search"],
    "站点": ["Site", "WidgetRule"],
    "人员": ["User", "Team", "Group"],
    "系统": ["DeletedItem", "AuditEvent", "TextRevision", "Job", "IndexQueue"],
}


class KnowledgeBaseAdminSite(AdminSite):
    site_title = site_header = "话术库与 FAQ 管理"
    index_title = "管理"
    site_url = "/"
    empty_value_display = "—"
    enable_nav_sidebar = False  # the header has the models; lists need the room

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the one login page of the house."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied("管理页面只对编辑和主管开放。")
        where = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return redirect_to_login(where, reverse("login"))

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Send people to the one page for passwords."""
        return redirect("password")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Answer 400 where a forged number is larger than any database takes."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def call_guarded_view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                return guarded(request, *args, **kwargs)
            except OverflowError as error:
                raise BadRequest("数字太大。") from error

        return call_guarded_view

    def each_context(self, request: HttpRequest) -> Any:
        """Say on every page that search is behind, while a large lot is worked off."""
        context = super().each_context(request)
        if context["has_permission"]:
            waiting = sync.count_pending_marks()
            context["index_pending"] = (
                f"{waiting:,}" if waiting > MAX_SMALL_BATCH_ENTRIES else ""
            )
        return context

    def get_urls(self) -> list[Any]:
        return [
            *import_views.get_import_urls(self),
            *export_views.get_export_urls(self),
            *super().get_urls(),
        ]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Begin the day with what waits for the reader."""
        from kb.admin import dashboard  # noqa: PLC0415 - models load after the site

        cards = dashboard.list_dashboard_cards(request.user)  # type: ignore[arg-type]
        return super().index(request, {**(extra_context or {}), "cards": cards})

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return ChoiceAutocompleteView.as_view(admin_site=self)(request)

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[Any]:
        """Return the models in our groups; one app's own page keeps Django's."""
        apps = super().get_app_list(request, app_label)
        models = {m["object_name"]: m for app in apps for m in app["models"]}
        return [
            {
                "name": name,
                "app_label": "kb",
                "app_url": reverse("admin:index"),
                "has_module_perms": True,
                "models": found,
            }
            for name, members in MODEL_GROUPS.items()
            if (found := [models[m] for m in members if m in models])
        ]


# One object, however often it is made: on the way to this class Django imports
# the package, which registers with the default site that is just being made.
get_admin_site = cache(KnowledgeBaseAdminSite)
