"""The addresses of the site: all of them belong to the app."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

# What everybody reads stands in three scripts; kb.scripts says which address is which.
urlpatterns = [
    path("", include("kb.web.urls")),
    *i18n_patterns(path("", include("kb.web.faq.urls")), prefix_default_language=False),
]

handler500 = "kb.system.outages.handle_server_error"
