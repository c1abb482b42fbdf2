"""Which door an address leads to."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from kb.desk.accounts import ChangePassword, Login, Logout, first_password
from kb.desk.session_status import session_status
from kb.faq import crawling, media

urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("login/password/", first_password, name="first-password"),
    path("password/", ChangePassword.as_view(), name="password"),
    path("logout/", Logout.as_view(), name="logout"),
    path("session/", session_status, name="session"),
    path("console/", include("kb.console.urls")),
    path("desk/", include("kb.desk.urls")),
    path("api/", include("kb.api.urls")),
    path("admin/", admin.site.urls),
    path("sitemap.xml", crawling.sitemap, name="sitemap"),
    path("sitemap-<slug:section>.xml", crawling.sitemap_part, name="sitemap-part"),
    path("robots.txt", crawling.robots, name="robots"),
    path("favicon.ico", crawling.favicon, name="favicon"),
    re_path(
        r"^media/(?P<name>[0-9a-f]{32}-\d{1,5}x\d{1,5}\.webp)$",
        media.picture,
        name="picture",
    ),
]
