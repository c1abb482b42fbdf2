"""A cache of public pages: one copy an edition for all visitors, already compressed.

The edition's number is part of every key, so that nothing has to be deleted when the
content changes: pages of an older edition are no longer asked for.
"""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial, wraps
from pathlib import Path
from threading import Lock
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import SimpleTemplateResponse
from django.utils import timezone
from django.utils.cache import (
    get_conditional_response,
    patch_cache_control,
    patch_vary_headers,
)
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from kb.publishing import edition, sites

View = Callable[..., HttpResponse]
MAX_CACHED_PAGES = 400  # in one process
MIN_PACKED_BYTES = 200  # shorter pages are not worth compressing
MAX_PLAIN_BYTES = 256_000  # longer pages, such as sitemaps, are held compressed only
PAGE_NUMBER_PARAMETERS = frozenset({"page", "p"})
MAX_PAGE_NUMBER = 10_000
MAX_PARAMETER_CHARS = 200


@dataclass(frozen=True, slots=True)
class CachedPage:
    """The body of a page, plain and compressed.

    `plain_body` is empty for a page above MAX_PLAIN_BYTES, `gzip_body` for one
    below MIN_PACKED_BYTES.
    """

    content_type: str
    plain_body: bytes
    gzip_body: bytes

    @property
    def body(self) -> bytes:
        """Return the uncompressed page."""
        return self.plain_body or gzip.decompress(self.gzip_body)

    @property
    def size_bytes(self) -> int:
        """Return how many bytes the bodies take in memory."""
        return len(self.plain_body) + len(self.gzip_body)


class PageCache:
    """A least-recently-used cache of `max_pages` and `max_bytes`; thread-safe."""

    def __init__(self, max_pages: int, max_bytes: int) -> None:
        self._max_pages, self._max_bytes = max_pages, max_bytes
        self._pages_by_key: OrderedDict[str, CachedPage] = OrderedDict()
        self._newest_key_by_name: dict[str, str] = {}
        self._names_by_key: dict[str, str] = {}
        self._lock = Lock()
        self.size_bytes = 0  # of all pages

    def get(self, key: str) -> CachedPage | None:
        with self._lock:
            if page := self._pages_by_key.get(key):
                self._pages_by_key.move_to_end(key)
            return page

    def get_newest(self, name: str) -> CachedPage | None:
        """Return the newest copy of the page `name`, made in this hour or before."""
        with self._lock:
            key = self._newest_key_by_name.get(name, "")
        return self.get(key)

    def put(self, key: str, page: CachedPage, name: str = "") -> None:
        """Store `page`; the least recently used ones are dropped to make room.

        A page larger than a quarter of `max_bytes` is not stored.
        """
        if page.size_bytes > self._max_bytes // 4:
            return
        with self._lock:
            if replaced := self._pages_by_key.pop(key, None):
                self.size_bytes -= replaced.size_bytes
            self._pages_by_key[key] = page
            self.size_bytes += page.size_bytes
            if name:
                self._newest_key_by_name[name], self._names_by_key[key] = key, name
            while (
                len(self._pages_by_key) > self._max_pages
                or self.size_bytes > self._max_bytes
            ):
                old_key, dropped = self._pages_by_key.popitem(last=False)
                self.size_bytes -= dropped.size_bytes
                old_name = self._names_by_key.pop(old_key, "")
                if self._newest_key_by_name.get(old_name) == old_key:
                    del self._newest_key_by_name[old_name]

    def clear(self) -> None:
        with self._lock:
            self._pages_by_key.clear()
            self._newest_key_by_name.clear()
            self._names_by_key.clear()
            self.size_bytes = 0


public_page_cache = PageCache(MAX_CACHED_PAGES, settings.KB_PAGE_CACHE_MB * 1_000_000)


def cache_public_page(*parameters: str) -> Callable[[View], View]:
    """Return a decorator that serves anonymous visitors a cached copy of the page.

    `parameters` are the names of the query parameters that the page depends on; the
    view gets no others. Browsers check a copy before each use, which costs two small
    queries; a CDN may keep it for CDN_SECONDS. A logged-in reader gets the page made
    anew. While the database is away, the last known copy is served.
    """

    def decorate_view(view: View) -> View:
        @wraps(view)
        def serve_page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated:
                response = view(request, *args, **kwargs)
                patch_cache_control(response, private=True, no_store=True)
                return response
            request.user = sites.get_anonymous_reader(request)
            request.GET = _select_parameters(parameters, request.GET)  # type: ignore[assignment]
            stamp = edition.get_request_edition(request)
            name = _make_page_name(request, stamp)
            key = _make_page_key(name)
            if stamp.is_stale and (
                page := public_page_cache.get(key) or public_page_cache.get_newest(name)
            ):
                return _forbid_storing(_make_page_response(page, request))
            not_modified = get_conditional_response(
                request, f'"{key}"', _get_last_change_seconds(stamp.raised_at)
            )
            if not_modified and not_modified.status_code == 304:  # noqa: PLR2004
                return _add_cache_headers(not_modified, key, stamp.raised_at)
            page_response = _get_or_make_page(
                key, name, request, partial(view, request, *args, **kwargs)
            )
            return _add_cache_headers(page_response, key, stamp.raised_at)

        return require_safe(serve_page)

    return decorate_view


def _get_or_make_page(
    key: str, name: str, request: HttpRequest, call_view: Callable[[], HttpResponse]
) -> HttpResponse:
    """Return the page from the cache; else call the view and store its response."""
    page = public_page_cache.get(key)
    if page is None:
        response = call_view()
        if isinstance(response, SimpleTemplateResponse):
            response.render()
        if response.status_code != 200 or response.cookies:  # noqa: PLR2004
            return response
        page = _make_cached_page(response)
        public_page_cache.put(key, page, name)
    return _make_page_response(page, request)


def _forbid_storing(response: HttpResponse) -> HttpResponse:
    """Forbid caches to keep a page that is served while the database is away."""
    patch_vary_headers(response, ["Accept-Encoding"])
    patch_cache_control(response, no_store=True)
    return response


def _make_page_response(page: CachedPage, request: HttpRequest) -> HttpResponse:
    accepts_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    is_compressed = bool(page.gzip_body) and accepts_gzip
    body = page.gzip_body if is_compressed else page.body
    response = HttpResponse(body, content_type=page.content_type)
    if is_compressed:
        response.headers["Content-Encoding"] = "gzip"
    return response


def _make_cached_page(response: HttpResponse) -> CachedPage:
    body = response.content
    compressed = b""
    if len(body) > MIN_PACKED_BYTES:
        compressed = gzip.compress(body, 5, mtime=0)
    plain = b"" if compressed and len(body) > MAX_PLAIN_BYTES else body
    return CachedPage(response.headers["Content-Type"], plain, compressed)


def _add_cache_headers(
    response: HttpResponse, key: str, raised_at: datetime | None
) -> HttpResponse:
    if response.status_code in {200, 304}:
        # Weak: the compressed and the plain page have the same tag.
        response.headers["ETag"] = f'W/"{key}"'
        response.headers["Last-Modified"] = http_date(
            _get_last_change_seconds(raised_at)
        )
    patch_vary_headers(response, ["Accept-Encoding"])
    if seconds := settings.KB_CDN_SECONDS:
        patch_cache_control(response, public=True, max_age=0, s_maxage=seconds)
    else:
        patch_cache_control(response, no_cache=True)
    return response


def parse_page_number(text: str) -> int:
    """Return the page number in `text`, at most MAX_PAGE_NUMBER; 0 if it is none."""
    digits = text.strip().lstrip("0")
    if not (digits.isdecimal() and len(digits) <= len(str(MAX_PAGE_NUMBER))):
        return 0
    return min(int(digits), MAX_PAGE_NUMBER)


def _select_parameters(names: tuple[str, ...], query: QueryDict) -> QueryDict:
    """Return the parameters `names` of `query`, each in one spelling.

    `?p=1`, `?p=01` and no `p` are the same page and share one copy.
    """
    selected = QueryDict(mutable=True)
    for name in names:
        value = query.get(name, "")[:MAX_PARAMETER_CHARS].strip()
        if value and name in PAGE_NUMBER_PARAMETERS:
            number = parse_page_number(value)
            value = "" if number == 1 else str(number)
        if value:
            selected[name] = value
    return selected


def _make_page_name(request: HttpRequest, edition_stamp: object) -> str:
    """Return what identifies the page and its content, whatever the hour."""
    parts = (
        *(request.scheme, request.get_host(), request.path, request.GET.urlencode()),
        *(sites.get_request_site(request).cache_stamp, edition_stamp),
    )
    return repr(parts)


def _make_page_key(name: str) -> str:
    """Return the key of the page in this hour.

    Pages show dates such as 今天, which are right for a day at most; a new key every
    hour keeps them right in every time zone.
    """
    parts = (name, _get_current_hour(), _get_build_stamp())
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def _get_current_hour() -> datetime:
    return timezone.localtime().replace(minute=0, second=0, microsecond=0)


def _get_last_change_seconds(raised_at: datetime | None) -> int:
    """Return the Unix time of the last change: of the edition or of the hour."""
    hour = _get_current_hour()
    return int(max(raised_at or hour, hour).timestamp())


@cache
def _get_build_stamp() -> str:
    """Return a hash that changes with the templates and the static files."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    templates = Path(settings.BASE_DIR) / "templates"
    files = [manifest, *sorted(templates.rglob("*.html"))]
    stamps = [(str(f), f.stat().st_mtime_ns) for f in files if f.exists()]
    return hashlib.blake2b(repr(stamps).encode(), digest_size=8).hexdigest()
