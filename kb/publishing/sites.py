"""The site of a request, and the part of the library that the site shows.

The reader of a request carries the ids of these categories (visible_category_ids), and
Entry.objects.visible_to applies them to every list, search, count and vote. Staff
pages always have the whole library.
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

# URL namespaces whose views have the whole library.
WHOLE_LIBRARY_NAMESPACES = frozenset({"console", "desk", "admin", "api"})
MAX_CACHED_SITES = 100  # of a process: clients may send any host name
_cached_sites: dict[tuple[str, object], Site] = {}  # {(host, outline): site}
GetResponse = Callable[[HttpRequest], HttpResponse]


class SiteMiddleware:
    """Restricts request.user to the categories of the site.

    request.colleague is the account itself, without the restriction.
    """

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
    """Receive post_migrate: create the default site, for all hosts without a site.

    Its name is SITE_NAME of the settings until a lead changes it.
    """
    try:
        model = apps.get_model("kb", "Site")
    except LookupError:  # the table is not migrated yet
        return
    if router.allow_migrate_model(using, model):
        model.objects.using(using).get_or_create(host="")


def get_request_site(request: Any) -> Site:
    """Return the site of the request's host; the default one if it has no site."""
    site: Site | None = getattr(request, "site", None)
    if site is None:
        site = request.site = _find_site(request)
    return site


def get_anonymous_reader(request: HttpRequest) -> AnonymousUser:
    """Return an anonymous user who sees what the site of `request` shows."""
    reader = AnonymousUser()
    reader.visible_category_ids = get_site_category_ids(get_request_site(request))  # type: ignore[attr-defined]
    return reader


def get_site_category_ids(site: Site) -> frozenset[int] | None:
    """Return the ids of the categories of `site`, subcategories included; None: all."""
    if site.root_category_ids is None:
        site.root_category_ids = list(site.categories.values_list("pk", flat=True))
    if site.root_category_ids and site.visible_category_ids is None:
        site.visible_category_ids = _collect_subtree_ids(site.root_category_ids)
    return site.visible_category_ids


def _find_site(request: HttpRequest) -> Site:
    """Return the site of the request's host, read once for each outline of the content."""
    key = (_get_request_host(request), edition.get_request_edition(request).outline)
    if (site := _cached_sites.get(key)) is None:
        if len(_cached_sites) >= MAX_CACHED_SITES:
            _cached_sites.clear()
        site = _cached_sites[key] = _load_site(key[0])
    return site


def _get_request_host(request: HttpRequest) -> str:
    """Return the host without port; "" for a refused host, whose error page has a site, too."""
    try:
        return split_domain_port(request.get_host())[0]
    except DisallowedHost:
        return ""


def _load_site(host: str) -> Site:
    """Return the site of a host, with the ids of its categories, in one query."""
    candidates = Site.objects.filter(host__in=[host, ""])
    # The default site has an empty host and comes last.
    rows: list[Any] = list(candidates.order_by("-host").annotate(root=F("categories")))
    site: Site = rows[0] if rows else Site()
    site.root_category_ids = [
        row.root for row in rows if row.pk == site.pk and row.root
    ]
    return site


def _get_site_reader(request: Any) -> Reader:
    """Return the user; on a site with a part of the library, a restricted copy.

    request.colleague itself is not changed, because views may read it afterwards.
    """
    user: Reader = request.colleague
    category_ids = get_site_category_ids(get_request_site(request))
    if category_ids is None or not hasattr(user, "is_authenticated"):  # loads the user
        return user
    reader = copy.copy(user)
    reader.visible_category_ids = category_ids  # type: ignore[union-attr]
    return reader


def _collect_subtree_ids(roots: Iterable[int]) -> frozenset[int]:
    """Return the ids of `roots` and of all categories below them."""
    parents = dict(Category.objects.order_by().values_list("pk", "parent_id"))
    ids = set(roots) & parents.keys()
    size = -1
    while size < len(ids):  # once for each level
        size = len(ids)
        ids |= {pk for pk, parent in parents.items() if parent in ids}
    return frozenset(ids)
