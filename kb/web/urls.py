"""Addresses without a locale prefix: which door serves which path."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from kb.web.desk.login_views import (
    ChangePasswordView,
    StaffLoginView,
    StaffLogoutView,
    choose_first_password,
)
from kb.web.desk.session_status import get_session_status
from kb.web.faq import crawlers, media

urlpatterns = [
    path("login/", StaffLoginView.as_view(), name="login"),
    path("login/password/", choose_first_password, name="first-password"),
    path("password/", ChangePasswordView.as_view(), name="password"),
    path("logout/", StaffLogoutView.as_view(), name="logout"),
    path("session/", get_session_status, name="session"),
    path("console/", include("kb.web.console.urls")),
    path("desk/", include("kb.web.desk.urls")),
    path("api/", include("kb.web.api.urls")),
    path("admin/", admin.site.urls),
    path("sitemap.xml", crawlers.serve_sitemap, name="sitemap"),
    path(
        "sitemap-<slug:section>.xml",
        crawlers.serve_sitemap_section,
        name="sitemap-part",
    ),
    path("robots.txt", crawlers.serve_robots_txt, name="robots"),
    path("favicon.ico", crawlers.redirect_to_favicon, name="favicon"),
    re_path(
        r"^media/(?P<name>[0-9a-f]{32}-\d{1,5}x\d{1,5}\.webp)$",
        media.serve_picture,
        name="picture",
    ),
]
