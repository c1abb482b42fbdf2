"""Where a search looks: the texts that a reader may match on, and which entries."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from kb.index.documents import (
    ANY_CHANNEL,
    make_audience_label,
    make_category_label,
    make_channel_label,
    make_status_label,
    make_tag_label,
)
from kb.index.engines import FieldGroup, WeightedField
from kb.library import taxonomy
from kb.models import (
    Category,
    Entry,
    EntryQuerySet,
    Reader,
    Reply,
    Tag,
    get_visible_category_ids,
)
from kb.search.weights import WEIGHTS, QuestionFieldWeights, TextFieldWeights

LabelGroups = tuple[frozenset[str], ...]  # a document has one label of each group


def _make_field_group(
    weights: TextFieldWeights | QuestionFieldWeights, names: tuple[str, ...]
) -> FieldGroup:
    """Return the group of the fields `names`, weighted as weights.toml says."""
    by_name = {name: getattr(weights, name) for name in names}
    fields = (WeightedField(name, w.boost, w.b) for name, w in by_name.items())
    return FieldGroup(tuple(fields), weights.k1, weights.boost)


# All texts as one, where an answer may make up for what the question does not say.
# Shared replies and short codes are for those who may read them.
_PUBLIC_FIELDS = ("question", "phrasings", "answer", "forms")
# The question once more alone: to be asked about a word is more than to mention it.
_QUESTION_GROUP = _make_field_group(WEIGHTS.fields.question, ("question", "phrasings"))
PUBLIC_FIELD_GROUPS = (
    _make_field_group(WEIGHTS.fields.text, (*_PUBLIC_FIELDS, "picked")),
    _QUESTION_GROUP,
)
STAFF_FIELD_GROUPS = (
    _make_field_group(
        WEIGHTS.fields.text, (*_PUBLIC_FIELDS, "picked_staff", "keywords", "replies")
    ),
    _QUESTION_GROUP,
)


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """What a reader narrows a search to; `channel`: with something to send there."""

    category: Category | None = None
    tag: Tag | None = None
    audience: str = ""
    channel: str = ""

    def __bool__(self) -> bool:
        return self != SearchFilters()

    def filter_entries(self, entries: EntryQuerySet, user: Reader) -> EntryQuerySet:
        """Return those of `entries` that pass, by the replies that `user` may read."""
        if self.category:
            below = self.category.descendants(include_self=True)
            entries = entries.filter(category__in=[node.pk for node in below])
        if self.tag:
            entries = entries.filter(tags=self.tag)
        if self.audience:
            entries = entries.filter(audience=self.audience)
        if self.channel:
            readable = Reply.objects.readable_by(user)
            fitting = readable.filter(
                entry=OuterRef("pk"), channel__in=["", self.channel]
            )
            entries = entries.filter(~Q(answer="") | Exists(fitting))
        return entries

    @property
    def labels(self) -> LabelGroups:
        """The labels of documents that may pass; the database decides."""
        groups = []
        if self.category:
            groups.append(frozenset({make_category_label(self.category.pk)}))
        if self.tag:
            groups.append(frozenset({make_tag_label(self.tag.pk)}))
        if self.audience:
            groups.append(frozenset({make_audience_label(self.audience)}))
        if self.channel:
            channels = (self.channel, ANY_CHANNEL)
            groups.append(frozenset(map(make_channel_label, channels)))
        return tuple(groups)


@dataclass(frozen=True, slots=True)
class SearchScope:
    """The fields that a search matches on, and the labels of documents it may find.

    Documents outside are not even counted: whether a word matches must say nothing
    of what a reader may not see.
    """

    field_groups: tuple[FieldGroup, ...]
    labels: LabelGroups

    @classmethod
    def of_published(
        cls, user: Reader, filters: SearchFilters | None = None
    ) -> SearchScope:
        """Return the scope of published entries for `user`."""
        labels: LabelGroups = (
            _list_audience_labels(user),
            frozenset({make_status_label(Entry.Status.PUBLISHED)}),
        )
        category_ids = get_visible_category_ids(user)
        if category_ids is not None:
            labels = (*labels, frozenset(map(make_category_label, category_ids)))
        if filters:
            labels = (*labels, *filters.labels)
        return cls(_select_field_groups(user), labels)

    @classmethod
    def of_all_statuses(cls, user: Reader) -> SearchScope:
        """Return the scope of entries in every status, for those who edit."""
        return cls(_select_field_groups(user), (_list_audience_labels(user),))

    @classmethod
    def of_visible(cls, user: Reader) -> SearchScope:
        """Return the scope of all that `user` may see: drafts too for editors."""
        can_edit = user.is_authenticated and user.can_edit_library
        return cls.of_all_statuses(user) if can_edit else cls.of_published(user)

    @property
    def is_staff(self) -> bool:
        """Whether texts for agents are matched, too."""
        return self.field_groups is STAFF_FIELD_GROUPS


def _can_read_library(user: Reader) -> bool:
    return user.is_authenticated and user.can_read_library


def _select_field_groups(user: Reader) -> tuple[FieldGroup, ...]:
    return STAFF_FIELD_GROUPS if _can_read_library(user) else PUBLIC_FIELD_GROUPS


def _list_audience_labels(user: Reader) -> frozenset[str]:
    audiences = [Entry.Audience.PUBLIC.value]
    if _can_read_library(user):
        audiences = Entry.Audience.values
    return frozenset(map(make_audience_label, audiences))


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
