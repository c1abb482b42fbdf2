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

from kb import faces, scripts, sites
from kb.models import Category, Entry, Reader
from kb.shelves import Shelves

MOST = 30  # entries


@dataclass(frozen=True, slots=True)
class _Told:
    site: str
    reader: Reader
    here: Category | None = None
    inside: Sequence[int] = ()


if TYPE_CHECKING:
    Base = Feed[Entry, _Told]
else:
    Base = Feed


class Latest(Base):
    """The entries that were changed last, as strangers may read them."""

    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, pk: int = 0) -> _Told:
        """Return what is told of: the site, and the shelf of it that was asked for."""
        reader = sites.stranger(request)
        site = scripts.say(str(sites.of(request)))
        if not pk:
            return _Told(site, reader)
        shelves = Shelves(reader)
        if here := shelves.find(pk):
            return _Told(site, reader, here, shelves.subtree(pk))
        raise Http404

    def title(self, told: _Told) -> str:
        if told.here:
            return f"{told.here} · {told.site}"
        return _("%(site)s 最近更新") % {"site": told.site}

    def link(self, told: _Told) -> str:
        return told.here.get_absolute_url() if told.here else reverse("faq:home")

    def author_name(self, told: _Told) -> str:
        return told.site

    def items(self, told: _Told) -> list[Entry]:
        rows = Entry.objects.published_to(told.reader).defer("answer", "answer_text")
        if told.here:
            rows = rows.filter(category__in=told.inside)
        found = list(rows[:MOST])
        faces.wear(found)
        return found

    def item_title(self, item: Any) -> str:
        return str(item.question)

    def item_description(self, item: Any) -> str:
        return str(item.excerpt)

    def item_updateddate(self, item: Entry) -> datetime:
        return item.updated_at

    def item_pubdate(self, item: Entry) -> datetime | None:
        return item.published_at
