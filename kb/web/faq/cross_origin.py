"""CORS for the widget: which origins may read, and which may vote and ask.

django-cors-headers is not used because there `*` cannot allow reading alone.
The widget sends no cookies, so no response has Access-Control-Allow-Credentials.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from kb.system import outages

View = Callable[..., HttpResponse]
READING_METHODS = frozenset({"GET", "HEAD"})


def can_origin_read(origin: str) -> bool:
    """Return whether `origin` is among the allowed ones, where `*` allows all."""
    allowed = settings.KB_WIDGET_ORIGINS
    return "*" in allowed or origin in allowed


def can_origin_write(request: HttpRequest) -> bool:
    """Return whether a page of the request's origin may vote and ask: `*` is not enough."""
    origin = request.headers.get("Origin", "")
    return origin in settings.KB_WIDGET_ORIGINS or is_own_page(request)


def is_own_page(request: HttpRequest) -> bool:
    """Return whether the page is of this site; such a page sends no Origin with GET."""
    own_origin = f"{request.scheme}://{request.get_host()}"
    fetch_site = request.headers.get("Sec-Fetch-Site", "")
    return (
        request.headers.get("Origin", "") == own_origin or fetch_site == "same-origin"
    )


def _get_refusal_text() -> str:
    return _("这个网站没有被允许使用小部件，请在 WIDGET_ORIGINS 里加上它。")


def _call_view(
    view: View, request: HttpRequest, *args: Any, **kwargs: Any
) -> HttpResponse:
    """Return the view's response, or an outage response that gets CORS headers too."""
    try:
        return view(request, *args, **kwargs)
    except (DatabaseError, OSError) as error:
        if response := outages.make_outage_response(request, error):
            return response
        raise


def allow_other_origins(view: View) -> View:
    """Let pages of other origins call `view`, as WIDGET_ORIGINS allows."""

    @wraps(view)
    def wrapped_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        origin = request.headers.get("Origin", "")
        if request.method not in READING_METHODS and not can_origin_write(request):
            response: HttpResponse = JsonResponse(
                {"detail": _get_refusal_text()}, status=403
            )
        else:
            response = _call_view(view, request, *args, **kwargs)
        if origin and can_origin_read(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        patch_vary_headers(response, ["Origin"])
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    return wrapped_view
