"""Which site a request is for; who reads there sees what the site shows, wherever.

A reader carries what may be shown (`shown`), and Entry.objects.visible_to keeps to
it: a list, a search, a count or a vote need not think of it. Where people work,
the library is whole.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import DisallowedHost
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils.functional import SimpleLazyObject

from kb import content
from kb.models import Category, Reader, Site

WHOLE = frozenset({"console", "desk", "admin", "api"})  # doors to the whole library
MANY = 100  # hosts that a process remembers: anybody may send any name
_known: dict[Any, Any] = {}
Answer = Callable[[HttpRequest], HttpResponse]


class Middleware:
    """Give each request its site, lazily, and narrow its reader to what that shows."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.site = SimpleLazyObject(partial(_of_host, request))
        request.colleague = request.user
        request.user = SimpleLazyObject(partial(_here, request))
        return self.get_response(request)

    def process_view(self, request: Any, *_: Any) -> None:
        if not WHOLE.isdisjoint(request.resolver_match.namespaces):
            request.user = request.colleague


def of(request: HttpRequest) -> Site:
    """Return the site that `request` is for; the default one where none is meant."""
    found: Site | None = getattr(request, "site", None)
    return _of_host(request) if found is None else found


def stranger(request: HttpRequest) -> AnonymousUser:
    """Return somebody whom nobody knows, on the site of `request`."""
    unknown = AnonymousUser()
    unknown.shown = shown(of(request))  # type: ignore[attr-defined]
    return unknown


def shown(site: Site) -> frozenset[int] | None:
    """Return the categories that `site` shows, those below included; None is all."""
    if site.roots is None:
        site.roots = list(site.categories.values_list("pk", flat=True))
    if site.roots and site.limit is None:
        site.limit = _below(site.roots)
    return site.limit


def _of_host(request: HttpRequest) -> Site:
    """Return the site of the request's host, read once an edition of the content."""
    host = _host(request)
    edition = content.of(request)
    if edition.number == 0:  # nothing has been saved yet, and nothing says when
        return _read(host)
    if _known.get(None) != edition:
        _known.clear()
        _known[None] = edition
    if host not in _known and len(_known) < MANY:
        _known[host] = _read(host)
    return _known.get(host) or _read(host)


def _host(request: HttpRequest) -> str:
    """Return the host asked for, none where it is refused: that page has a site, too."""
    try:
        return split_domain_port(request.get_host())[0]
    except DisallowedHost:
        return ""


def _read(host: str) -> Site:
    """Return the site of a host, in one query with its categories."""
    sites = Site.objects.select_related("logo").filter(host__in={host, ""})
    mine = sites.order_by("-host")  # "" comes last
    rows: list[Any] = list(mine.annotate(root=F("categories")))
    site: Site = rows[0] if rows else Site()
    site.roots = [row.root for row in rows if row.pk == site.pk and row.root]
    return site


def _here(request: Any) -> Reader:
    """Return who reads; on a site that shows a part, a double who sees that part.

    The person of request.colleague stays whole: he may be asked for afterwards.
    """
    user: Reader = request.colleague
    limit = shown(of(request))
    if limit is None or not hasattr(user, "is_authenticated"):  # loads the person
        return user
    double = copy.copy(user)
    double.shown = limit  # type: ignore[union-attr]
    return double


def _below(roots: Iterable[int]) -> frozenset[int]:
    """Return `roots` and every category below them."""
    parents = dict(Category.objects.order_by().values_list("pk", "parent_id"))
    found = set(roots) & parents.keys()
    size = -1
    while size < len(found):  # once a level
        size = len(found)
        found |= {pk for pk, parent in parents.items() if parent in found}
    return frozenset(found)
