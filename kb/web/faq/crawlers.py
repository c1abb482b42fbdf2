"""For those who read everything: sitemap, robots, and how browsers search us."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.sitemaps import Sitemap, views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse

from kb.models import Category, Entry
from kb.models.user import Reader
from kb.publishing import locale_prefix, sites
from kb.publishing.category_tree import ReadableCategoryTree
from kb.web.faq.page_cache import cache_public_page

MAX_SITEMAP_URLS = 10_000  # addresses in one file
SITEMAP_SECTION_URL_NAME = "sitemap-part"
DISALLOWED_PATHS = ["/search/", "/suggest/", "/vote/"]  # in every script
STAFF_PATHS = ["/login/", "/console/", "/desk/", "/admin/", "/api/"]

if TYPE_CHECKING:
    SitemapBase = Sitemap[Any]
else:
    SitemapBase = Sitemap


class PublicPagesSitemap(SitemapBase):
    """Entries and shelves in both scripts, each naming the other."""

    i18n = alternates = x_default = True
    languages = [locale_prefix.LOCALE_SIMPLIFIED, locale_prefix.LOCALE_TRADITIONAL]
    limit = MAX_SITEMAP_URLS

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def lastmod(self, item: Any) -> datetime | None:
        return getattr(item, "updated_at", None)

    def get_latest_lastmod(self) -> datetime | None:
        """Entries come newest first; the others would have to be looked through."""
        return None


class EntriesSitemap(PublicPagesSitemap):
    def items(self) -> Any:
        rows = Entry.objects.published_to(self.reader)
        return rows.only("slug", "updated_at").order_by("pk")


class CategoriesSitemap(PublicPagesSitemap):
    """The front page, which is None, and what can be reached from there."""

    def items(self) -> list[Category | None]:
        shelves = ReadableCategoryTree(self.reader)
        return [None, *map(shelves.find_category, sorted(shelves.entry_counts))]

    def location(self, item: Category | None) -> str:
        return item.get_absolute_url() if item else reverse("faq:home")


def _make_sitemap_sections(request: HttpRequest) -> dict[str, Any]:
    reader = sites.get_anonymous_reader(request)
    return {"entries": EntriesSitemap(reader), "categories": CategoriesSitemap(reader)}


@cache_public_page()
def serve_sitemap(request: HttpRequest) -> HttpResponse:
    """One file, or an index of files where there is more than one may hold."""
    sections = _make_sitemap_sections(request)
    if sum(one.paginator.count for one in sections.values()) > MAX_SITEMAP_URLS:
        return views.index(request, sections, sitemap_url_name=SITEMAP_SECTION_URL_NAME)
    return views.sitemap(request, sections)


@cache_public_page("p")
def serve_sitemap_section(request: HttpRequest, section: str) -> HttpResponse:
    return views.sitemap(request, _make_sitemap_sections(request), section)


@cache_public_page()
def serve_robots_txt(request: HttpRequest) -> HttpResponse:
    """Keep out who has no business there; what is secret is closed by other means."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in DISALLOWED_PATHS + STAFF_PATHS),
    ]
    for code in (locale_prefix.LOCALE_TRADITIONAL, locale_prefix.LOCALE_ENGLISH):
        lines += [f"Disallow: /{code}{path}" for path in DISALLOWED_PATHS]
    where = request.build_absolute_uri(reverse("sitemap"))
    text = "\n".join([*lines, "", f"Sitemap: {where}", ""])
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@cache_public_page()
def serve_opensearch_description(request: HttpRequest) -> HttpResponse:
    """Let a browser offer our search in its address bar."""
    name = locale_prefix.convert_for_page(str(sites.get_request_site(request)))
    find = request.build_absolute_uri(reverse("faq:search"))
    context = {"name": name, "find": f"{find}?q={{searchTerms}}"}
    context["icon"] = request.build_absolute_uri(static("base/favicon.svg"))
    kind = "application/opensearchdescription+xml; charset=utf-8"
    return render(request, "faq/opensearch.xml", context, content_type=kind)


def redirect_to_favicon(request: HttpRequest) -> HttpResponse:
    """Old browsers and crawlers ask at this address without being told."""
    response = redirect(static("base/favicon.ico"))
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
