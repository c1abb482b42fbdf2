"""Copies of public pages: made once an edition, for everybody, already compressed."""

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
from kb.web.faq import query_params

View = Callable[..., HttpResponse]
MAX_CACHED_PAGES = 400  # that one process holds
MIN_PACKED_BYTES = 200  # shorter pages are not worth compressing
MAX_PLAIN_BYTES = 256_000  # longer pages, such as sitemaps, are held compressed only
PAGE_NUMBER_PARAMETERS = frozenset({"page", "p"})  # parameters that are page numbers


@dataclass(frozen=True, slots=True)
class CachedPage:
    content_type: str  # the content type
    plain_body: bytes  # empty for a long page
    gzip_body: bytes  # the same by gzip; empty where that is not worth it

    @property
    def body(self) -> bytes:
        """The page uncompressed."""
        return self.plain_body or gzip.decompress(self.gzip_body)

    @property
    def size_bytes(self) -> int:
        """How many bytes it takes in memory."""
        return len(self.plain_body) + len(self.gzip_body)


class PageCache:
    """The pages used last, at most `max_pages` and `max_bytes`; thread-safe."""

    def __init__(self, max_pages: int, max_bytes: int) -> None:
        self._max_pages, self._max_bytes = max_pages, max_bytes
        self._pages_by_key: OrderedDict[str, CachedPage] = OrderedDict()
        self._newest_key_by_name: dict[
            str, str
        ] = {}  # by name: the newest copy of a page
        self._names_by_key: dict[str, str] = {}  # by key
        self._lock = Lock()
        self.size_bytes = 0  # bytes

    def get(self, key: str) -> CachedPage | None:
        with self._lock:
            if found := self._pages_by_key.get(key):
                self._pages_by_key.move_to_end(key)
            return found

    def get_newest(self, name: str) -> CachedPage | None:
        """Return the newest copy of the page `name`, whatever its hour."""
        with self._lock:
            key = self._newest_key_by_name.get(name, "")
        return self.get(key)

    def put(self, key: str, copy: CachedPage, name: str = "") -> None:
        """Hold `copy`; the pages not used for longest go to make room.

        A page that would take more than a quarter of the room is not held.
        """
        if copy.size_bytes > self._max_bytes // 4:
            return
        with self._lock:
            if replaced := self._pages_by_key.pop(key, None):
                self.size_bytes -= replaced.size_bytes
            self._pages_by_key[key] = copy
            self.size_bytes += copy.size_bytes
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


def cache_public_page(*asked: str) -> Callable[[View], View]:
    """Serve strangers a copy of the page, as long as nothing it shows has changed.

    `asked` names the parameters that the page depends on. A copy in a browser
    is checked before each use, at the price of two small queries; a CDN may
    keep one for CDN_SECONDS. Who is logged in gets a page of his own.
    """

    def decorate_view(view: View) -> View:
        @wraps(view)
        def serve_page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated:
                response = view(request, *args, **kwargs)
                patch_cache_control(response, private=True, no_store=True)
                return response
            request.user = sites.get_anonymous_reader(request)
            request.GET = _keep_known_parameters(asked, request.GET)  # type: ignore[assignment]
            stamp = edition.get_request_edition(request)
            raised = stamp.raised_at
            name = _make_page_name(request, stamp)
            key = _make_page_key(name)
            if stamp.is_stale and (
                copy := public_page_cache.get(key) or public_page_cache.get_newest(name)
            ):
                return _mark_outage_copy(_make_page_response(copy, request))
            known = get_conditional_response(
                request, f'"{key}"', _get_last_change_seconds(raised)
            )
            if known is None or known.status_code != 304:  # noqa: PLR2004
                known = _get_or_make_page(
                    key, name, request, partial(view, request, *args, **kwargs)
                )
            return _add_cache_headers(known, key, raised)

        return require_safe(serve_page)

    return decorate_view


def _get_or_make_page(
    key: str, name: str, request: HttpRequest, make: Callable[[], HttpResponse]
) -> HttpResponse:
    """Return the page from memory, or made anew and put there."""
    copy = public_page_cache.get(key)
    if copy is None:
        response = make()
        if isinstance(response, SimpleTemplateResponse):
            response.render()
        if response.status_code != 200 or response.cookies:  # noqa: PLR2004
            return response
        copy = _make_cached_page(response)
        public_page_cache.put(key, copy, name)
    return _make_page_response(copy, request)


def _mark_outage_copy(response: HttpResponse) -> HttpResponse:
    """Mark a page that is shown while the database is away: nobody may keep it."""
    patch_vary_headers(response, ["Accept-Encoding"])
    patch_cache_control(response, no_store=True)
    return response


def _make_page_response(copy: CachedPage, request: HttpRequest) -> HttpResponse:
    packed = copy.gzip_body and "gzip" in request.headers.get("Accept-Encoding", "")
    body = copy.gzip_body if packed else copy.body
    response = HttpResponse(body, content_type=copy.content_type)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response


def _make_cached_page(response: HttpResponse) -> CachedPage:
    body = response.content
    packed = b""
    if len(body) > MIN_PACKED_BYTES:
        packed = gzip.compress(body, 5, mtime=0)
    plain = b"" if packed and len(body) > MAX_PLAIN_BYTES else body
    return CachedPage(response.headers["Content-Type"], plain, packed)


def _add_cache_headers(
    response: HttpResponse, key: str, raised: datetime | None
) -> HttpResponse:
    if response.status_code in {200, 304}:
        response.headers["ETag"] = f'W/"{key}"'  # one page, compressed or not
        response.headers["Last-Modified"] = _format_http_date(
            _get_last_change_seconds(raised)
        )
    patch_vary_headers(response, ["Accept-Encoding"])
    if seconds := settings.KB_CDN_SECONDS:
        patch_cache_control(response, public=True, max_age=0, s_maxage=seconds)
    else:
        patch_cache_control(response, no_cache=True)
    return response


def _keep_known_parameters(names: tuple[str, ...], given: QueryDict) -> QueryDict:
    """Return what the page may depend on, each in one spelling.

    `?p=1`, `?p=01` and no `p` are one page and must be one copy.
    """
    query = QueryDict(mutable=True)
    for name in names:
        value = given.get(name, "")[:200].strip()
        if value and name in PAGE_NUMBER_PARAMETERS:
            number = query_params.parse_page_number(value)
            value = "" if number == 1 else str(number)
        if value:
            query[name] = value
    return query


def _make_page_name(request: HttpRequest, edition_stamp: object) -> str:
    """Return a name for the page and its content; dates on it may be old."""
    parts = (
        *(request.scheme, request.get_host(), request.path, request.GET.urlencode()),
        *(sites.get_request_site(request).cache_stamp, edition_stamp),
    )
    return repr(parts)


def _make_page_key(name: str) -> str:
    """Return a key for the page as it is in this hour; dates on it are of a day."""
    parts = (name, _get_current_hour(), _get_build_stamp())
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def _get_current_hour() -> datetime:
    return timezone.localtime().replace(minute=0, second=0, microsecond=0)


def _get_last_change_seconds(raised: datetime | None) -> int:
    """Return when the page changed last, in seconds: with the edition or the hour."""
    return int(max(raised or _get_current_hour(), _get_current_hour()).timestamp())


def _format_http_date(seconds: int) -> str:
    return http_date(seconds)


@cache
def _get_build_stamp() -> str:
    """Return what changes with the templates and the scripts that a page names."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    templates = Path(settings.BASE_DIR) / "templates"
    files = [manifest, *sorted(templates.rglob("*.html"))]
    stamps = [(str(f), f.stat().st_mtime_ns) for f in files if f.exists()]
    return hashlib.blake2b(repr(stamps).encode(), digest_size=8).hexdigest()
