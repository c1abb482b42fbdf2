"""Decorators of public views: caching headers and rate limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from kb import usage
from kb.system.client_address import get_client_address
from kb.system.throttling import throttle_request

View = Callable[..., HttpResponse]


def public_view(view: View) -> View:
    """Serve a readable, compressed page that caches handle correctly.

    A cached copy of an anonymous page is checked before each use, so that an
    unpublished entry is gone at once; a page of a logged-in reader is not stored.
    """

    @wraps(view)
    def wrapped_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if request.user.is_authenticated:  # the session was read: Vary: Cookie is set
            patch_cache_control(response, private=True, no_store=True)
        else:
            patch_cache_control(response, no_cache=True)
        return response

    return require_safe(gzip_page(conditional_page(wrapped_view)))


def identify_visitor(request: HttpRequest) -> str:
    """Return a key of the visitor, by which each is counted once."""
    user = request.user
    if user.is_authenticated:
        return usage.build_colleague_key(user)
    return usage.build_visitor_key(
        get_client_address(request), request.headers.get("User-Agent", "")
    )


def rate_limited(scope: str) -> Callable[[View], View]:
    """Return 429 with Retry-After above the limit `scope` of KB_THROTTLE_RATES."""

    def decorate_view(view: View) -> View:
        @wraps(view)
        def wrapped_view(
            request: HttpRequest, *args: Any, **kwargs: Any
        ) -> HttpResponse:
            if not (seconds := throttle_request(scope, request)):
                return view(request, *args, **kwargs)
            response = render(
                request, "faq/busy/page.html", {"seconds": seconds}, status=429
            )
            response.headers["Retry-After"] = str(seconds)
            return response

        return wrapped_view

    return decorate_view
