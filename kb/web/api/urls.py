"""Addresses of the API, all below /api/v1/."""

from __future__ import annotations

from django.urls import path, re_path

from kb.web.api import schema_views, views

app_name = "api"
urlpatterns = [
    path("v1/search/", views.SearchView.as_view(), name="search"),
    path("v1/suggest/", views.SuggestView.as_view(), name="suggest"),
    path("v1/categories/", views.CategoryTreeView.as_view(), name="categories"),
    path("v1/entries/", views.EntryListView.as_view(), name="entries"),
    path("v1/entries/<int:pk>/", views.EntryDetailView.as_view(), name="entry"),
    path("v1/agent/search/", views.AgentSearchView.as_view(), name="agent-search"),
    path("v1/agent/suggest/", views.AgentSuggestView.as_view(), name="agent-suggest"),
    path(
        "v1/agent/entries/<int:pk>/",
        views.AgentEntryDetailView.as_view(),
        name="agent-entry",
    ),
    path("v1/schema/", schema_views.SchemaView.as_view(), name="schema"),
    path("v1/docs/", schema_views.DocsView.as_view(), name="docs"),
    re_path("^(?P<rest>.*/)?$", views.UnknownAddressView.as_view(), name="nowhere"),
]
