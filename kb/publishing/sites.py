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

from django.apps import AppConfig
from django.apps import apps as global_apps
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import DisallowedHost
from django.db import DEFAULT_DB_ALIAS, router
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils.functional import SimpleLazyObject

from kb.models import Category, Reader, Site
from kb.publishing import edition

WHOLE_LIBRARY_NAMESPACES = frozenset(
    {"console", "desk", "admin", "api"}
)  # doors to the whole library
MAX_CACHED_SITES = 100  # sites that a process remembers: anybody may send any name
_cached_sites: dict[tuple[str, object], Site] = {}  # by host and outline
GetResponse = Callable[[HttpRequest], HttpResponse]


class SiteMiddleware:
    """Narrow the reader of each request to what its site shows."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.colleague = request.user
        request.user = SimpleLazyObject(partial(_get_site_reader, request))
        return self.get_response(request)

    def process_view(self, request: Any, *_: Any) -> None:
        if not WHOLE_LIBRARY_NAMESPACES.isdisjoint(request.resolver_match.namespaces):
            request.user = request.colleague


def make_default_site(
    sender: AppConfig,
    using: str = DEFAULT_DB_ALIAS,
    apps: Any = global_apps,
    **options: Any,
) -> None:
    """Receive post_migrate: make the site of all hosts that no other site names.

    Its name is SITE_NAME of the settings until somebody gives it another one.
    """
    try:
        model = apps.get_model("kb", "Site")
    except LookupError:  # the table is not migrated yet
        return
    if router.allow_migrate_model(using, model):
        model.objects.using(using).get_or_create(host="")


def get_request_site(request: Any) -> Site:
    """Return the site that `request` is for; the default one where none is meant."""
    found: Site | None = getattr(request, "site", None)
    if found is None:
        found = request.site = _find_site(request)
    return found


def get_anonymous_reader(request: HttpRequest) -> AnonymousUser:
    """Return somebody whom nobody knows, on the site of `request`."""
    unknown = AnonymousUser()
    unknown.visible_category_ids = get_site_category_ids(get_request_site(request))  # type: ignore[attr-defined]
    return unknown


def get_site_category_ids(site: Site) -> frozenset[int] | None:
    """Return the categories that `site` shows, those below included; None is all."""
    if site.root_category_ids is None:
        site.root_category_ids = list(site.categories.values_list("pk", flat=True))
    if site.root_category_ids and site.visible_category_ids is None:
        site.visible_category_ids = _collect_subtree_ids(site.root_category_ids)
    return site.visible_category_ids


def _find_site(request: HttpRequest) -> Site:
    """Return the site of the request's host, read once an outline of the content."""
    key = (_get_request_host(request), edition.get_request_edition(request).outline)
    if (found := _cached_sites.get(key)) is None:
        if len(_cached_sites) >= MAX_CACHED_SITES:
            _cached_sites.clear()
        found = _cached_sites[key] = _load_site(key[0])
    return found


def _get_request_host(request: HttpRequest) -> str:
    """Return the host asked for, none where it is refused: that page has a site, too."""
    try:
        return split_domain_port(request.get_host())[0]
    except DisallowedHost:
        return ""


def _load_site(host: str) -> Site:
    """Return the site of a host, in one query with its categories."""
    of_host = Site.objects.filter(host__in=[host, ""])
    # The default site has an empty host and comes last.
    rows: list[Any] = list(of_host.order_by("-host").annotate(root=F("categories")))
    site: Site = rows[0] if rows else Site()
    site.root_category_ids = [
        row.root for row in rows if row.pk == site.pk and row.root
    ]
    return site


def _get_site_reader(request: Any) -> Reader:
    """Return who reads; on a site that shows a part, a double who sees that part.

    The person of request.colleague stays whole: he may be asked for afterwards.
    """
    user: Reader = request.colleague
    limit = get_site_category_ids(get_request_site(request))
    if limit is None or not hasattr(user, "is_authenticated"):  # loads the person
        return user
    double = copy.copy(user)
    double.visible_category_ids = limit  # type: ignore[union-attr]
    return double


def _collect_subtree_ids(roots: Iterable[int]) -> frozenset[int]:
    """Return `roots` and every category below them."""
    parents = dict(Category.objects.order_by().values_list("pk", "parent_id"))
    found = set(roots) & parents.keys()
    size = -1
    while size < len(found):  # once a level
        size = len(found)
        found |= {pk for pk, parent in parents.items() if parent in found}
    return frozenset(found)
