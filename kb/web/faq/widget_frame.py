"""The widget's script, a frame for pages that allow no script, and a demo page."""

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
from kb.library.entries import entry_lookup
from kb.models import Entry
from kb.publishing import sites, translations
from kb.publishing.category_tree import ReadableCategoryTree
from kb.web.faq import query_params, widget_script, widget_start
from kb.web.faq.view_decorators import View, rate_limited

SCRIPT_MAX_AGE_SECONDS = 300
MAX_FRAME_ENTRIES = 10
MAX_KEPT_PARAMETER_CHARS = 200


@cache
def load_script_bodies() -> dict[str, bytes]:
    """Return the script by content encoding: plain under "", "gzip" and "br".

    It changes with a deployment only, so it is compressed once.
    """
    plain = widget_script.build_script()
    return {
        "": plain,
        "gzip": gzip.compress(plain, 9, mtime=0),
        "br": bytes(brotli.compress(plain)),
    }


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
    """Return the script, at an address that never changes, compressed if accepted."""
    encoding = _choose_content_encoding(request)
    response = HttpResponse(
        load_script_bodies()[encoding], content_type="text/javascript; charset=utf-8"
    )
    if encoding:
        response.headers["Content-Encoding"] = encoding
    patch_vary_headers(response, ["Accept-Encoding"])
    patch_cache_control(response, public=True, max_age=SCRIPT_MAX_AGE_SECONDS)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def allow_framing(view: View) -> View:
    """Let pages of KB_WIDGET_ORIGINS, and no others, show `view` in a frame."""

    @wraps(view)
    @xframe_options_exempt
    def wrapped_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        origins = ["'self'", *settings.KB_WIDGET_ORIGINS]
        response._csp_replace = {"frame-ancestors": origins}  # type: ignore[attr-defined]
        return response

    return wrapped_view


@allow_framing
@require_safe
@gzip_page
@conditional_page
@rate_limited("search")
def show_widget_frame(request: HttpRequest) -> HttpResponse:
    """Search and read within a frame, without script or cookie, as anonymous reader."""
    request.user = reader = sites.get_anonymous_reader(request)
    words = query_params.read_query_words(request)
    context: dict[str, Any] = {
        "words": words,
        "page_parameters": _list_page_parameters(request),
    }
    entries: list[Entry] = []
    if number := request.GET.get("entry", ""):
        entry_id = query_params.parse_row_id(number)
        entry = entry_lookup.find_answered_entry(entry_id, user=reader)
        if entry is None:
            raise Http404
        context["entry"] = entry
        entries = [entry]
    elif words:
        results = search.search_entries(words, user=reader, limit=MAX_FRAME_ENTRIES)
        entries = [hit.entry for hit in results.hits or results.near_hits]
        context |= {"entries": entries, "is_confident": bool(results.hits)}
    else:
        title, entries = widget_start.find_start_entries(request, MAX_FRAME_ENTRIES)
        context |= {"entries": entries, "title": title, "is_confident": True}
    translations.apply_translations(entries)
    response = render(request, "faq/embed/page.html", context)
    patch_cache_control(response, no_cache=True)
    return response


def _list_page_parameters(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the parameters that describe the embedding page, for links and forms."""
    return [
        (name, request.GET[name][:MAX_KEPT_PARAMETER_CHARS])
        for name in ("category", "tag", "path")
        if request.GET.get(name)
    ]


@never_cache
@login_required
@permission_required("kb.change_entry", raise_exception=True)
@require_safe
def show_widget_demo(request: HttpRequest) -> HttpResponse:
    """Show the widget as on a page of a product, and the code to copy."""
    tree = ReadableCategoryTree(sites.get_anonymous_reader(request))
    context = {
        "origin": request.build_absolute_uri("/").rstrip("/"),
        "allowed_origins": settings.KB_WIDGET_ORIGINS,
        "categories": tree.top_nodes,
    }
    return render(request, "faq/widget_demo/page.html", context)
