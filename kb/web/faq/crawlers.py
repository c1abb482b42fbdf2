"""What crawlers and browsers ask for: sitemap, robots.txt, OpenSearch, favicon."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.sitemaps import Sitemap, views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse

from kb.library.entries import entry_lookup
from kb.models import Category, Reader
from kb.publishing import locale_prefix, sites
from kb.publishing.category_tree import ReadableCategoryTree
from kb.publishing.page_cache import cache_public_page

MAX_SITEMAP_URLS = 10_000  # in one file
SITEMAP_SECTION_URL_NAME = "sitemap-part"
DISALLOWED_PATHS = ["/search/", "/suggest/", "/vote/"]  # below every locale prefix
STAFF_PATHS = ["/login/", "/console/", "/desk/", "/admin/", "/api/"]

if TYPE_CHECKING:
    SitemapBase = Sitemap[Any]
else:
    SitemapBase = Sitemap


class PublicPagesSitemap(SitemapBase):
    """Pages in 简体 and 繁體, each with the other as its alternate."""

    i18n = alternates = x_default = True
    languages = [locale_prefix.LOCALE_SIMPLIFIED, locale_prefix.LOCALE_TRADITIONAL]
    limit = MAX_SITEMAP_URLS

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def lastmod(self, item: Any) -> datetime | None:
        return getattr(item, "updated_at", None)

    def get_latest_lastmod(self) -> datetime | None:
        """Return None: Django would read all items to find the latest change."""
        return None


class EntriesSitemap(PublicPagesSitemap):
    def items(self) -> Any:
        return entry_lookup.query_sitemap_entries(self.reader)


class CategoriesSitemap(PublicPagesSitemap):
    """The home page, which is the item None, and the categories with entries."""

    def items(self) -> list[Category | None]:
        tree = ReadableCategoryTree(self.reader)
        return [None, *map(tree.find_category, sorted(tree.entry_counts))]

    def location(self, item: Category | None) -> str:
        return item.get_absolute_url() if item else reverse("faq:home")


def _make_sitemap_sections(request: HttpRequest) -> dict[str, Any]:
    reader = sites.get_anonymous_reader(request)
    return {"entries": EntriesSitemap(reader), "categories": CategoriesSitemap(reader)}


@cache_public_page()
def serve_sitemap(request: HttpRequest) -> HttpResponse:
    """Return one file, or an index of files above MAX_SITEMAP_URLS addresses."""
    sections = _make_sitemap_sections(request)
    url_count = sum(section.paginator.count for section in sections.values())
    if url_count > MAX_SITEMAP_URLS:
        return views.index(request, sections, sitemap_url_name=SITEMAP_SECTION_URL_NAME)
    return views.sitemap(request, sections)


@cache_public_page("p")
def serve_sitemap_section(request: HttpRequest, section: str) -> HttpResponse:
    return views.sitemap(request, _make_sitemap_sections(request), section)


@cache_public_page()
def serve_robots_txt(request: HttpRequest) -> HttpResponse:
    """Ask crawlers to leave out searches and staff pages, which are also protected."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in DISALLOWED_PATHS + STAFF_PATHS),
    ]
    for code in (locale_prefix.LOCALE_TRADITIONAL, locale_prefix.LOCALE_ENGLISH):
        lines += [f"Disallow: /{code}{path}" for path in DISALLOWED_PATHS]
    sitemap_url = request.build_absolute_uri(reverse("sitemap"))
    text = "\n".join([*lines, "", f"Sitemap: {sitemap_url}", ""])
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@cache_public_page()
def serve_opensearch_description(request: HttpRequest) -> HttpResponse:
    """Return what lets a browser search this site from its address bar."""
    search_url = request.build_absolute_uri(reverse("faq:search"))
    context = {
        "name": locale_prefix.convert_for_page(str(sites.get_request_site(request))),
        "search_url_template": f"{search_url}?q={{searchTerms}}",
        "icon_url": request.build_absolute_uri(static("base/favicon.svg")),
    }
    content_type = "application/opensearchdescription+xml; charset=utf-8"
    return render(request, "faq/opensearch.xml", context, content_type=content_type)


def redirect_to_favicon(request: HttpRequest) -> HttpResponse:
    """Redirect the address that old browsers and crawlers try on their own."""
    response = redirect(static("base/favicon.ico"))
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
