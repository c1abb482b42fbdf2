"""Addresses of the customer's door."""

from __future__ import annotations

from django.urls import path

from kb.faq import brand, views, votes

app_name = "faq"
urlpatterns = [
    path("", views.home, name="home"),
    path("site.css", brand.stylesheet, name="site-css"),
    path("search/", views.search_page, name="search"),
    path("suggest/", views.suggestions, name="suggest"),
    path("c/<int:pk>/", views.category, name="category"),
    path("q/<int:pk>/", views.entry, name="entry-short"),
    path("vote/<int:pk>/", votes.vote, name="vote"),
    path("q/<int:pk>/<str:slug>/", views.entry, name="entry"),
]
