"""The root URL configuration; all addresses belong to the app kb."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

# Public pages exist in three languages: see kb.publishing.locale_prefix.
urlpatterns = [
    path("", include("kb.web.urls")),
    *i18n_patterns(path("", include("kb.web.faq.urls")), prefix_default_language=False),
]

handler500 = "kb.system.outages.handle_server_error"
