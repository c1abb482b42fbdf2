"""Entries that a reader may see: one by its id, several at once, or a queryset.

The doors and the admin call these functions and no manager of `Entry`, so that
`EntryQuerySet.visible_to` and `published_to` remain the only rules of visibility.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Count, Q, QuerySet

from kb.models import (
    CampaignPeriod,
    Entry,
    EntryQuerySet,
    Reader,
    User,
    prefetch_readable_replies,
    prefetch_shared_replies,
)

UNPUBLISHED_STATUSES = (Entry.Status.REVIEW, Entry.Status.DRAFT)


def find_published_entry(
    pk: int | None, *, user: Reader, only_in_force: bool = False
) -> Entry | None:
    """Return the published entry `pk` if `user` may read it, else None."""
    if not pk:
        return None
    entries = Entry.objects.published_to(user)
    if only_in_force:
        entries = entries.in_force()
    return entries.filter(pk=pk).first()


def find_answered_entry(pk: int | None, *, user: Reader) -> Entry | None:
    """Return the published entry `pk` if `user` may read it and it has an answer."""
    if not pk:
        return None
    return query_answered_entries(user).filter(pk=pk).first()


def find_visible_entry(pk: int, *, user: Reader) -> Entry | None:
    """Return the entry `pk` with its related entries, whatever its status.

    Editors see drafts and retired entries too; others get None for these.
    """
    entries = Entry.objects.visible_to(user).select_related("related_entries")
    return entries.filter(pk=pk).first()


def find_published_entry_with_tags(pk: int, *, user: Reader) -> Entry | None:
    """Return the published entry `pk` with its tags loaded, or None."""
    entries = Entry.objects.published_to(user).prefetch_related("tags")
    return entries.filter(pk=pk).first()


def find_visible_entry_with_replies(pk: int, *, user: Reader) -> Entry | None:
    """Return the entry `pk` with its tags and the replies that `user` may read."""
    related = ("tags", prefetch_readable_replies(user))
    entries = Entry.objects.visible_to(user).prefetch_related(*related)
    return entries.filter(pk=pk).first()


def load_published_entries(ids: Iterable[int], *, user: Reader) -> dict[int, Entry]:
    """Return by id those of the entries that are published and `user` may read."""
    return Entry.objects.published_to(user).in_bulk(set(ids))


def query_published_entries(user: Reader) -> EntryQuerySet:
    """Return the published entries that `user` may read, the last changed first."""
    return Entry.objects.published_to(user)


def query_listed_entries(user: Reader) -> EntryQuerySet:
    """Return the published entries with only the columns that a list shows."""
    return Entry.objects.published_to(user).with_list_columns()


def query_answered_entries(user: Reader) -> EntryQuerySet:
    """Return the published entries that have an answer.

    An entry that has replies only is of no use to a customer.
    """
    return Entry.objects.published_to(user).exclude(answer_html="")


def query_sitemap_entries(user: Reader) -> EntryQuerySet:
    """Return the published entries by id, with what a sitemap names of them."""
    return Entry.objects.published_to(user).only("slug", "updated_at").order_by("pk")


def list_latest_entries(
    user: Reader, *, limit: int, category_ids: Collection[int] | None = None
) -> list[Entry]:
    """Return the entries changed last; in the categories only, if these are given."""
    entries = Entry.objects.published_to(user).defer("answer", "answer_text")
    if category_ids is not None:
        entries = entries.filter(category__in=category_ids)
    return list(entries[:limit])


def query_entry_summaries(
    user: Reader, *, category_ids: Collection[int] | None = None, tag_name: str = ""
) -> EntryQuerySet:
    """Return the published entries without their answers, with their tags."""
    entries = Entry.objects.published_to(user)
    if category_ids is not None:
        entries = entries.filter(category__in=category_ids)
    if tag_name:
        entries = entries.filter(tags__name=tag_name)
    return entries.defer("answer", "answer_html", "answer_text").prefetch_related(
        "tags"
    )


def find_entry(pk: int, *, user: User) -> Entry | None:
    """Return the entry if it exists and `user` may see it."""
    rows = Entry.objects.visible_to(user).select_related("category")
    return rows.filter(pk=pk).first()


def load_entries(ids: Iterable[int], *, user: User) -> dict[int, Entry]:
    """Return {id: entry} of those that `user` may see."""
    rows = Entry.objects.visible_to(user).select_related("category", "owner")
    return rows.in_bulk(ids)


def load_entry_texts(entry: Entry) -> Entry:
    """Return the entry with its shared replies, phrasings and tags prefetched."""
    related = (prefetch_shared_replies(), "phrasings", "tags")
    return Entry.objects.prefetch_related(*related).get(pk=entry.pk)


def count_entries_in_period(period: CampaignPeriod) -> int:
    return Entry.objects.filter(window=period).count()


def list_unpublished_entries(
    statuses: Collection[str], *, user: User
) -> QuerySet[Entry]:
    """Return drafts and submitted entries: submitted ones first, then the latest.

    Each has `question_count`, the questions that were merged into it.
    """
    return (
        Entry.objects.visible_to(user)
        .filter(status__in=statuses)
        .select_related("category", "updated_by")
        .prefetch_related(prefetch_shared_replies(), "phrasings")
        .annotate(question_count=Count("questions"))
        .order_by("-status", "-updated_at", "-pk")  # "review" sorts after "draft"
    )


def count_unpublished_entries(user: User) -> dict[str, int]:
    """Return {status: number of entries}."""
    counts = {
        status.value: Count("pk", filter=Q(status=status))
        for status in UNPUBLISHED_STATUSES
    }
    return Entry.objects.visible_to(user).aggregate(**counts)


def find_sendable_entry(pk: int, *, user: User) -> Entry | None:
    """Return the entry if customers may read its answer, so that it can be sent."""
    rows = Entry.objects.published_to(user).filter(audience=Entry.Audience.PUBLIC)
    return rows.exclude(answer_text="").filter(pk=pk).first()


def can_send_entry(entry: Entry) -> bool:
    """Return whether customers may read the answer of `entry`."""
    is_live = entry.status == Entry.Status.PUBLISHED
    is_public = entry.audience == Entry.Audience.PUBLIC
    return is_live and is_public and bool(entry.answer_text)
