"""What stands before every public page: who may keep a copy, and how often."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

from kb import feedback

View = Callable[..., HttpResponse]
log = logging.getLogger(__name__)


def public(view: View) -> View:
    """Let everybody read `view`, and nobody read a copy that is not theirs.

    A copy of a page for all is checked anew before each use, so that what is
    unpublished is gone at once; a page for one person is not kept at all.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if request.user.is_authenticated:  # having asked, Django adds Vary: Cookie
            patch_cache_control(response, private=True, no_store=True)
        else:
            patch_cache_control(response, no_cache=True)
        return response

    return require_safe(gzip_page(conditional_page(guarded)))


def person(request: HttpRequest) -> str:
    """Return who asks, for counting each but once, by the proxies' rule of the API."""
    user = request.user
    if user.is_authenticated:
        return feedback.colleague(user)
    address = BaseThrottle().get_ident(request)  # type: ignore[arg-type]
    return feedback.stranger(address, request.headers.get("User-Agent", ""))


class _Rate(SimpleRateThrottle):
    """The rates of the API, for a plain view: by person, else by address."""

    def __init__(self, scope: str, request: HttpRequest) -> None:
        self.scope = "agent" if request.user.is_authenticated else scope
        super().__init__()

    def get_cache_key(self, request: HttpRequest, view: None) -> str:  # type: ignore[override]
        ident = request.user.pk or self.get_ident(request)  # type: ignore[arg-type]
        return self.cache_format % {"scope": self.scope, "ident": ident}


def seconds_to_wait(scope: str, request: HttpRequest) -> int:
    """Return how many seconds to wait; 0 is a go, as is a cache that is down."""
    rate = _Rate(scope, request)
    try:
        allowed = rate.allow_request(request, None)  # type: ignore[arg-type]
    except Exception:
        log.warning("throttling is off: the cache does not answer", exc_info=True)
        return 0
    return 0 if allowed else max(1, ceil(rate.wait() or 1))


def throttled(scope: str) -> Callable[[View], View]:
    """Answer 429 with Retry-After above the rate `scope` of the settings."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not (seconds := seconds_to_wait(scope, request)):
                return view(request, *args, **kwargs)
            page = render(request, "faq/busy.html", {"seconds": seconds}, status=429)
            page.headers["Retry-After"] = str(seconds)
            return page

        return guarded

    return decorate
