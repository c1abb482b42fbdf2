"""The widget's script, its frame for pages that allow no script, and a page to try it."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache, wraps
from typing import Any

import brotli
from django.conf import settings
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, etag, require_safe

from kb import faces, search, sites
from kb.faq import forms, placing, widget_script
from kb.faq.guard import View, throttled
from kb.models import Entry
from kb.shelves import Shelves

MINUTES = 300  # seconds for which a browser keeps the script
MOST = 10  # entries in the frame


@cache
def bodies() -> dict[str, bytes]:
    """Return the script by how it is packed; it changes with a deploy alone."""
    plain = widget_script.script_source()
    return {"": plain, "gzip": gzip.compress(plain, 9, mtime=0), "br": _brotli(plain)}


def _brotli(plain: bytes) -> bytes:
    return bytes(brotli.compress(plain))


def _packing(request: HttpRequest) -> str:
    accepted = request.headers.get("Accept-Encoding", "")[:500].lower()
    names = {part.partition(";")[0].strip() for part in accepted.split(",")}
    return next((name for name in ("br", "gzip") if name in names), "")


def _tag(request: HttpRequest) -> str:
    digest = hashlib.blake2b(bodies()[""], digest_size=12).hexdigest()
    return f'"{digest}{_packing(request)}"'


@require_safe
@etag(_tag)
def script(request: HttpRequest) -> HttpResponse:
    """The one script of the widget, at an address that never changes."""
    packing = _packing(request)
    response = HttpResponse(
        bodies()[packing], content_type="text/javascript; charset=utf-8"
    )
    if packing:
        response.headers["Content-Encoding"] = packing
    patch_vary_headers(response, ["Accept-Encoding"])
    patch_cache_control(response, public=True, max_age=MINUTES)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def framed(view: View) -> View:
    """Let pages of the allowed origins hold `view` in a frame, and no others."""

    @wraps(view)
    @xframe_options_exempt
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        holders = ["'self'", *settings.KB_WIDGET_ORIGINS]
        response._csp_replace = {"frame-ancestors": holders}  # type: ignore[attr-defined]
        return response

    return guarded


@framed
@require_safe
@gzip_page
@conditional_page
@throttled("search")
def frame(request: HttpRequest) -> HttpResponse:
    """Search and read within the frame: no script, no cookie, nobody recognised."""
    request.user = reader = sites.stranger(request)
    words = forms.words(request)
    context: dict[str, Any] = {}
    if number := request.GET.get("entry", ""):
        context["entry"] = _entry(request, number)
    elif words:
        results = search.search(words, user=reader, limit=MOST)
        hits = results.hits or results.near
        context |= {"entries": [h.entry for h in hits], "sure": bool(results.hits)}
    else:
        title, entries = placing.first(request, MOST)
        context |= {"entries": entries, "title": title, "sure": True}
    faces.wear([e for e in (context.get("entry"), *context.get("entries", ())) if e])
    context |= {"words": words, "kept": _kept(request)}
    response = render(request, "faq/embed/page.html", context)
    patch_cache_control(response, no_cache=True)
    return response


def _entry(request: HttpRequest, number: str) -> Entry:
    plain = number.isascii() and number.isdecimal() and len(number) <= placing.DIGITS
    readable = Entry.objects.published_to(request.user).exclude(answer_html="")
    found = readable.filter(pk=int(number) if plain else 0).first()
    if found is None:
        raise Http404
    return found


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what of the address says where the frame stands, for its links."""
    names = ("category", "tag", "path")
    return [(n, request.GET[n][:200]) for n in names if request.GET.get(n)]


@never_cache
@login_required
@permission_required("kb.change_entry", raise_exception=True)
@require_safe
def demo(request: HttpRequest) -> HttpResponse:
    """A page as a customer's product might have it, and the line to copy."""
    origin = request.build_absolute_uri("/").rstrip("/")
    context = {
        "origin": origin,
        "allowed": settings.KB_WIDGET_ORIGINS,
        "shelves": Shelves(sites.stranger(request)).inside(None),
    }
    return render(request, "faq/widget_demo/page.html", context)
