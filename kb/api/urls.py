"""Addresses of the API, all below /api/v1/."""

from __future__ import annotations

from django.urls import path, re_path

from kb.api import schema, views

app_name = "api"
urlpatterns = [
    path("v1/search/", views.Search.as_view(), name="search"),
    path("v1/suggest/", views.Suggest.as_view(), name="suggest"),
    path("v1/categories/", views.Categories.as_view(), name="categories"),
    path("v1/entries/", views.Entries.as_view(), name="entries"),
    path("v1/entries/<int:pk>/", views.EntryById.as_view(), name="entry"),
    path("v1/agent/search/", views.AgentSearch.as_view(), name="agent-search"),
    path("v1/agent/suggest/", views.AgentSuggest.as_view(), name="agent-suggest"),
    path(
        "v1/agent/entries/<int:pk>/", views.AgentEntryById.as_view(), name="agent-entry"
    ),
    path("v1/schema/", schema.Schema.as_view(), name="schema"),
    path("v1/docs/", schema.Docs.as_view(), name="docs"),
    re_path("^(?P<rest>.*/)?$", views.Nowhere.as_view(), name="nowhere"),
]
