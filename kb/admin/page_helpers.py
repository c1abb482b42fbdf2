"""What the pages of the admin that belong to no model have in common."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from kb.models import User


def get_staff_user(request: HttpRequest) -> User:
    """Return the user; the admin site lets only staff reach its views."""
    assert isinstance(request.user, User)  # noqa: S101 - for the type
    return request.user


def render_admin_page(
    request: HttpRequest, template: str, context: dict[str, Any]
) -> HttpResponse:
    """Render a page with the context that the templates of the admin need."""
    return render(request, template, {**admin.site.each_context(request), **context})
