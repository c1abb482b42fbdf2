"""Which door an address leads to."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("console/", include("kb.console.urls")),
    path("desk/", include("kb.desk.urls")),
    path("api/", include("kb.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("kb.faq.urls")),
]
