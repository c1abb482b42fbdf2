"""The admin site: its names, its login, and the groups of its models."""

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
    """The admin of the knowledge base, with imports, exports and a dashboard."""

    site_title = site_header = "话术库与 FAQ 管理"
    index_title = "管理"
    site_url = "/"
    empty_value_display = "—"
    enable_nav_sidebar = False  # the header has the models; lists need the room

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the login page that the whole site uses."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied("管理页面只对编辑和主管开放。")
        next_url = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return redirect_to_login(next_url, reverse("login"))

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Redirect to the page for passwords that the whole site uses."""
        return redirect("password")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Return the view; it responds with 400 to a number that no database takes."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def call_guarded_view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                return guarded(request, *args, **kwargs)
            except OverflowError as error:
                raise BadRequest("数字太大。") from error

        return call_guarded_view

    def each_context(self, request: HttpRequest) -> Any:
        """Add how many entries the search index is behind, while they are many."""
        context = super().each_context(request)
        if context["has_permission"]:
            pending = sync.count_pending_marks()
            is_behind = pending > MAX_SMALL_BATCH_ENTRIES
            context["index_pending"] = f"{pending:,}" if is_behind else ""
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
        """Show the work that waits for the reader above the models."""
        from kb.admin import dashboard  # noqa: PLC0415 - models load after the site

        cards = dashboard.list_dashboard_cards(request.user)  # type: ignore[arg-type]
        return super().index(request, {**(extra_context or {}), "cards": cards})

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return ChoiceAutocompleteView.as_view(admin_site=self)(request)

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[Any]:
        """Return the models in MODEL_GROUPS instead of by app."""
        apps = super().get_app_list(request, app_label)
        models = {m["object_name"]: m for app in apps for m in app["models"]}
        return [
            {
                "name": name,
                "app_label": "kb",
                "app_url": reverse("admin:index"),
                "has_module_perms": True,
                "models": group,
            }
            for name, members in MODEL_GROUPS.items()
            if (group := [models[m] for m in members if m in models])
        ]


# One object however often it is called: to find this class Django imports kb.admin,
# whose modules register with the default site that is only just being made.
get_admin_site = cache(KnowledgeBaseAdminSite)
