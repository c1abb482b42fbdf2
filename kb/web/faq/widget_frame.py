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

from kb import search
from kb.models import Entry
from kb.publishing import sites, translations
from kb.publishing.category_tree import ReadableCategoryTree
from kb.web.faq import query_params, widget_script, widget_start
from kb.web.faq.view_decorators import View, rate_limited

SCRIPT_MAX_AGE_SECONDS = 300  # seconds for which a browser keeps the script
MAX_FRAME_ENTRIES = 10  # entries in the frame


@cache
def load_script_bodies() -> dict[str, bytes]:
    """Return the script by how it is packed; it changes with a deploy alone."""
    plain = widget_script.script_source()
    return {
        "": plain,
        "gzip": gzip.compress(plain, 9, mtime=0),
        "br": _compress_brotli(plain),
    }


def _compress_brotli(plain: bytes) -> bytes:
    return bytes(brotli.compress(plain))


def _choose_content_encoding(request: HttpRequest) -> str:
    accepted = request.headers.get("Accept-Encoding", "")[:500].lower()
    names = {part.partition(";")[0].strip() for part in accepted.split(",")}
    return next((name for name in ("br", "gzip") if name in names), "")


def _make_script_etag(request: HttpRequest) -> str:
    digest = hashlib.blake2b(load_script_bodies()[""], digest_size=12).hexdigest()
    return f'"{digest}{_choose_content_encoding(request)}"'


@require_safe
@etag(_make_script_etag)
def serve_widget_script(request: HttpRequest) -> HttpResponse:
    """The one script of the widget, at an address that never changes."""
    packing = _choose_content_encoding(request)
    response = HttpResponse(
        load_script_bodies()[packing], content_type="text/javascript; charset=utf-8"
    )
    if packing:
        response.headers["Content-Encoding"] = packing
    patch_vary_headers(response, ["Accept-Encoding"])
    patch_cache_control(response, public=True, max_age=SCRIPT_MAX_AGE_SECONDS)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def allow_framing(view: View) -> View:
    """Let pages of the allowed origins hold `view` in a frame, and no others."""

    @wraps(view)
    @xframe_options_exempt
    def wrapped_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        holders = ["'self'", *settings.KB_WIDGET_ORIGINS]
        response._csp_replace = {"frame-ancestors": holders}  # type: ignore[attr-defined]
        return response

    return wrapped_view


@allow_framing
@require_safe
@gzip_page
@conditional_page
@rate_limited("search")
def show_widget_frame(request: HttpRequest) -> HttpResponse:
    """Search and read within the frame: no script, no cookie, nobody recognised."""
    request.user = reader = sites.get_anonymous_reader(request)
    words = query_params.read_query_words(request)
    context: dict[str, Any] = {}
    if number := request.GET.get("entry", ""):
        context["entry"] = _get_readable_entry(request, number)
    elif words:
        results = search.search_entries(words, user=reader, limit=MAX_FRAME_ENTRIES)
        hits = results.hits or results.near_hits
        context |= {"entries": [h.entry for h in hits], "sure": bool(results.hits)}
    else:
        title, entries = widget_start.find_start_entries(request, MAX_FRAME_ENTRIES)
        context |= {"entries": entries, "title": title, "sure": True}
    translations.apply_translations(
        [e for e in (context.get("entry"), *context.get("entries", ())) if e]
    )
    context |= {"words": words, "kept": _list_kept_parameters(request)}
    response = render(request, "faq/embed/page.html", context)
    patch_cache_control(response, no_cache=True)
    return response


def _get_readable_entry(request: HttpRequest, number: str) -> Entry:
    plain = (
        number.isascii()
        and number.isdecimal()
        and len(number) <= widget_start.MAX_ENTRY_ID_DIGITS
    )
    readable = Entry.objects.published_to(request.user).exclude(answer_html="")
    found = readable.filter(pk=int(number) if plain else 0).first()
    if found is None:
        raise Http404
    return found


def _list_kept_parameters(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what of the address says where the frame stands, for its links."""
    names = ("category", "tag", "path")
    return [(n, request.GET[n][:200]) for n in names if request.GET.get(n)]


@never_cache
@login_required
@permission_required("kb.change_entry", raise_exception=True)
@require_safe
def show_widget_demo(request: HttpRequest) -> HttpResponse:
    """A page as a customer's product might have it, and the line to copy."""
    origin = request.build_absolute_uri("/").rstrip("/")
    context = {
        "origin": origin,
        "allowed": settings.KB_WIDGET_ORIGINS,
        "shelves": ReadableCategoryTree(sites.get_anonymous_reader(request)).list_nodes(
            None
        ),
    }
    return render(request, "faq/widget_demo/page.html", context)
