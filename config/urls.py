"""The addresses of the site: all of them belong to the app."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("kb.urls"))]
