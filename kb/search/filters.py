"""What a reader narrows a search to: the engine proposes by labels, the rows decide."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from kb.index.documents import (
    ANY_CHANNEL,
    make_category_label,
    make_channel_label,
    make_tag_label,
)
from kb.library import taxonomy
from kb.models import Category, EntryQuerySet, Reader, Reply, Tag


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """A part of the library. On a channel is what can be sent there."""

    category: Category | None = None
    tag: Tag | None = None
    audience: str = ""
    channel: str = ""

    def __bool__(self) -> bool:
        return self != SearchFilters()

    def filter_entries(self, entries: EntryQuerySet, user: Reader) -> EntryQuerySet:
        """Return those of `entries` in the part, as far as `user` may know."""
        if self.category:
            below = self.category.descendants(include_self=True)
            entries = entries.filter(category__in=[node.pk for node in below])
        if self.tag:
            entries = entries.filter(tags=self.tag)
        if self.audience:
            entries = entries.filter(audience=self.audience)
        if self.channel:
            mine = Reply.objects.readable_by(user)
            fit = mine.filter(entry=OuterRef("pk"), channel__in=["", self.channel])
            entries = entries.filter(~Q(answer="") | Exists(fit))
        return entries

    @property
    def labels(self) -> tuple[frozenset[str], ...]:
        """Return the labels of documents that may be of it, any of each group."""
        groups = []
        if self.category:
            groups.append(frozenset({make_category_label(self.category.pk)}))
        if self.tag:
            groups.append(frozenset({make_tag_label(self.tag.pk)}))
        if self.audience:
            groups.append(frozenset({f"audience={self.audience}"}))
        if self.channel:
            fit = {make_channel_label(self.channel), make_channel_label(ANY_CHANNEL)}
            groups.append(frozenset(fit))
        return tuple(groups)


def make_search_filters(
    *,
    category_id: int | None = None,
    tag_id: int | None = None,
    audience: str = "",
    channel: str = "",
) -> SearchFilters:
    """Return the filters with their rows; an unknown id filters nothing."""
    return SearchFilters(
        category=taxonomy.find_category(category_id),
        tag=taxonomy.find_tag(tag_id),
        audience=audience,
        channel=channel,
    )
