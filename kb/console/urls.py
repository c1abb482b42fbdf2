"""The addresses of the agents' console: there is one."""

from __future__ import annotations

from django.urls import path

from kb.console import views

app_name = "console"
urlpatterns = [path("", views.home, name="home")]
