"""For those who read everything: sitemap, robots, and how browsers search us."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.sitemaps import Sitemap, views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse

from kb import scripts, sites
from kb.faq.copies import kept
from kb.models import Category, Entry
from kb.models.user import Reader
from kb.shelves import Shelves

LARGEST = 10_000  # addresses in one file
SECTION = "sitemap-part"
CLOSED = ["/search/", "/suggest/", "/vote/"]  # in every script
INSIDE = ["/login/", "/console/", "/desk/", "/admin/", "/api/"]

if TYPE_CHECKING:
    Base = Sitemap[Any]
else:
    Base = Sitemap


class Pages(Base):
    """Entries and shelves in both scripts, each naming the other."""

    i18n = alternates = x_default = True
    languages = [scripts.HANS, scripts.HANT]
    limit = LARGEST

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def lastmod(self, item: Any) -> datetime | None:
        return getattr(item, "updated_at", None)

    def get_latest_lastmod(self) -> datetime | None:
        """Entries come newest first; the others would have to be looked through."""
        return None


class Entries(Pages):
    def items(self) -> Any:
        rows = Entry.objects.published_to(self.reader)
        return rows.only("slug", "updated_at").order_by("pk")


class Shelf(Pages):
    """The front page, which is None, and what can be reached from there."""

    def items(self) -> list[Category | None]:
        shelves = Shelves(self.reader)
        return [None, *map(shelves.find, sorted(shelves.counts))]

    def location(self, item: Category | None) -> str:
        return item.get_absolute_url() if item else reverse("faq:home")


def _sections(request: HttpRequest) -> dict[str, Any]:
    reader = sites.stranger(request)
    return {"entries": Entries(reader), "categories": Shelf(reader)}


@kept()
def sitemap(request: HttpRequest) -> HttpResponse:
    """One file, or an index of files where there is more than one may hold."""
    sections = _sections(request)
    if sum(one.paginator.count for one in sections.values()) > LARGEST:
        return views.index(request, sections, sitemap_url_name=SECTION)
    return views.sitemap(request, sections)


@kept("p")
def sitemap_part(request: HttpRequest, section: str) -> HttpResponse:
    return views.sitemap(request, _sections(request), section)


@kept()
def robots(request: HttpRequest) -> HttpResponse:
    """Keep out who has no business there; what is secret is closed by other means."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED + INSIDE)]
    for code in (scripts.HANT, scripts.ENGLISH):
        lines += [f"Disallow: /{code}{path}" for path in CLOSED]
    where = request.build_absolute_uri(reverse("sitemap"))
    text = "\n".join([*lines, "", f"Sitemap: {where}", ""])
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@kept()
def opensearch(request: HttpRequest) -> HttpResponse:
    """Let a browser offer our search in its address bar."""
    name = scripts.say(str(sites.of(request)))
    find = request.build_absolute_uri(reverse("faq:search"))
    context = {"name": name, "find": f"{find}?q={{searchTerms}}"}
    context["icon"] = request.build_absolute_uri(static("base/favicon.svg"))
    kind = "application/opensearchdescription+xml; charset=utf-8"
    return render(request, "faq/opensearch.xml", context, content_type=kind)


def favicon(request: HttpRequest) -> HttpResponse:
    """Old browsers and crawlers ask at this address without being told."""
    response = redirect(static("base/favicon.ico"))
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
