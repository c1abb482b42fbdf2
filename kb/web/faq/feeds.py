"""What is new, for feed readers: in both scripts, of the whole site or of one shelf."""

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

from kb.models import Category, Entry, Reader
from kb.publishing import locale_prefix, sites, translations
from kb.publishing.category_tree import ReadableCategoryTree

MAX_FEED_ENTRIES = 30  # entries


@dataclass(frozen=True, slots=True)
class _FeedScope:
    site: str
    reader: Reader
    category: Category | None = None
    category_ids: Sequence[int] = ()


if TYPE_CHECKING:
    FeedBase = Feed[Entry, _FeedScope]
else:
    FeedBase = Feed


class LatestEntriesFeed(FeedBase):
    """The entries that were changed last, as strangers may read them."""

    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, pk: int = 0) -> _FeedScope:
        """Return what is told of: the site, and the shelf of it that was asked for."""
        reader = sites.get_anonymous_reader(request)
        site = locale_prefix.convert_for_page(str(sites.get_request_site(request)))
        if not pk:
            return _FeedScope(site, reader)
        shelves = ReadableCategoryTree(reader)
        if here := shelves.find_category(pk):
            return _FeedScope(site, reader, here, shelves.list_subtree_ids(pk))
        raise Http404

    def title(self, told: _FeedScope) -> str:
        if told.category:
            return f"{told.category} · {told.site}"
        return _("%(site)s 最近更新") % {"site": told.site}

    def link(self, told: _FeedScope) -> str:
        return (
            told.category.get_absolute_url() if told.category else reverse("faq:home")
        )

    def author_name(self, told: _FeedScope) -> str:
        return told.site

    def items(self, told: _FeedScope) -> list[Entry]:
        rows = Entry.objects.published_to(told.reader).defer("answer", "answer_text")
        if told.category:
            rows = rows.filter(category__in=told.category_ids)
        found = list(rows[:MAX_FEED_ENTRIES])
        translations.apply_translations(found)
        return found

    def item_title(self, item: Any) -> str:
        return str(item.question)

    def item_description(self, item: Any) -> str:
        return str(item.excerpt)

    def item_updateddate(self, item: Entry) -> datetime:
        return item.updated_at

    def item_pubdate(self, item: Entry) -> datetime | None:
        return item.published_at
