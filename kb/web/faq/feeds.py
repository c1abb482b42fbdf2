"""Atom feeds of the latest entries: of the whole site, or of one category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.syndication.views import Feed
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _

from kb.library.entries import entry_lookup
from kb.models import Category, Entry, Reader
from kb.publishing import locale_prefix, sites, translations
from kb.publishing.category_tree import ReadableCategoryTree

MAX_FEED_ENTRIES = 30


@dataclass(frozen=True, slots=True)
class _FeedScope:
    """What a feed covers: the site, or a category with those below it."""

    site_name: str
    reader: Reader
    category: Category | None = None
    category_ids: Sequence[int] | None = None


if TYPE_CHECKING:
    FeedBase = Feed[Entry, _FeedScope]
else:
    FeedBase = Feed


class LatestEntriesFeed(FeedBase):
    """The entries changed last, as an anonymous reader may see them."""

    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, pk: int = 0) -> _FeedScope:
        """Return the scope of the feed; 404 for a category that is empty for all."""
        reader = sites.get_anonymous_reader(request)
        name = locale_prefix.convert_for_page(str(sites.get_request_site(request)))
        if not pk:
            return _FeedScope(name, reader)
        tree = ReadableCategoryTree(reader)
        if category := tree.find_category(pk):
            return _FeedScope(name, reader, category, tree.list_subtree_ids(pk))
        raise Http404

    def title(self, scope: _FeedScope) -> str:
        if scope.category:
            return f"{scope.category} · {scope.site_name}"
        return _("%(site)s 最近更新") % {"site": scope.site_name}

    def link(self, scope: _FeedScope) -> str:
        if scope.category:
            return scope.category.get_absolute_url()
        return reverse("faq:home")

    def author_name(self, scope: _FeedScope) -> str:
        return scope.site_name

    def items(self, scope: _FeedScope) -> list[Entry]:
        entries = entry_lookup.list_latest_entries(
            scope.reader, limit=MAX_FEED_ENTRIES, category_ids=scope.category_ids
        )
        translations.apply_translations(entries)
        return entries

    def item_title(self, item: Any) -> str:
        return str(item.question)

    def item_description(self, item: Any) -> str:
        return str(item.excerpt)

    def item_updateddate(self, item: Entry) -> datetime:
        return item.updated_at

    def item_pubdate(self, item: Entry) -> datetime | None:
        return item.published_at
