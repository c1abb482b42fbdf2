"""Which other origins may use the widget: all may read if so set, few may write.

A few lines and not django-cors-headers: there `*` cannot stand for reading alone.
No cookie is ever asked for, so no answer says Allow-Credentials.
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

from kb import outages

View = Callable[..., HttpResponse]
READING = frozenset({"GET", "HEAD"})


def may_read(origin: str) -> bool:
    allowed = settings.KB_WIDGET_ORIGINS
    return "*" in allowed or origin in allowed


def may_write(request: HttpRequest) -> bool:
    """Tell whether a page of the request's origin may vote and ask."""
    origin = request.headers.get("Origin", "")
    return origin in settings.KB_WIDGET_ORIGINS or is_ours(request)


def is_ours(request: HttpRequest) -> bool:
    """Tell whether the page is one of this very site; it sends no Origin to read."""
    here = f"{request.scheme}://{request.get_host()}"
    site = request.headers.get("Sec-Fetch-Site", "")
    return request.headers.get("Origin", "") == here or site == "same-origin"


def _refused() -> str:
    return _("这个网站没有被允许使用小部件，请在 WIDGET_ORIGINS 里加上它。")


def _answer(
    view: View, request: HttpRequest, *args: Any, **kwargs: Any
) -> HttpResponse:
    """Return what `view` answers; an outage can be read by the page that asks, too."""
    try:
        return view(request, *args, **kwargs)
    except (DatabaseError, OSError) as error:
        if response := outages.respond(request, error):
            return response
        raise


def shared(view: View) -> View:
    """Let other origins call `view`: read where set, write where named."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        origin = request.headers.get("Origin", "")
        if request.method not in READING and not may_write(request):
            response: HttpResponse = JsonResponse({"detail": _refused()}, status=403)
        else:
            response = _answer(view, request, *args, **kwargs)
        if origin and may_read(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        patch_vary_headers(response, ["Origin"])
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    return guarded
