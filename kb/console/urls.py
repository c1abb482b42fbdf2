"""The addresses of the agents' console: the page, and what it tells back."""

from __future__ import annotations

from django.urls import path

from kb.console import picks, views

app_name = "console"
urlpatterns = [
    path("", views.home, name="home"),
    path("pick/", picks.pick, name="pick"),
]
