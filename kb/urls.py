"""Which door an address leads to."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from kb.desk.accounts import Login, Logout

urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("logout/", Logout.as_view(), name="logout"),
    path("console/", include("kb.console.urls")),
    path("desk/", include("kb.desk.urls")),
    path("api/", include("kb.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("kb.faq.urls")),
]
