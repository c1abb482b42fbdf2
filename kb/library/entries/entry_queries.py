"""Entries, versions and submissions that a reader may see: reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Case, Count, Q, QuerySet, Value, When

from kb.library.entries.change_reviews import list_reviews_awaiting
from kb.library.entries.due_entries import list_due_entries, list_due_entries_for
from kb.models import (
    CampaignPeriod,
    Category,
    Entry,
    EntryQuerySet,
    EntryRevision,
    Review,
    ReviewComment,
    User,
    prefetch_shared_replies,
)

UNPUBLISHED_STATUSES = (Entry.Status.REVIEW, Entry.Status.DRAFT)


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


def list_categories() -> QuerySet[Category]:
    categories: QuerySet[Category] = Category.objects.all()
    return categories


def count_entries_in_period(period: CampaignPeriod) -> int:
    return Entry.objects.filter(window=period).count()


# Drafts ------------------------------------------------------------------------------


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


# Entries that are due for review -----------------------------------------------------


def list_visible_due_entries(user: User) -> dict[str, EntryQuerySet]:
    """Return the due entries by tab: "" for `user` to review, "mine" owned, "all"."""
    due_entries = list_due_entries().visible_to(user)
    return {
        "": list_due_entries_for(user).visible_to(user),
        "mine": due_entries.filter(owner=user),
        "all": due_entries,
    }


# Versions ----------------------------------------------------------------------------


def find_revision(entry: Entry, version: int) -> EntryRevision | None:
    return EntryRevision.objects.filter(entry=entry, version=version).first()


def find_previous_revision(revision: EntryRevision) -> EntryRevision | None:
    """Return the stored version before `revision`; versions need not be consecutive."""
    rows = EntryRevision.objects.filter(entry=revision.entry_id)
    return rows.filter(version__lt=revision.version).first()  # latest first


def find_published_revision(entry: Entry) -> EntryRevision | None:
    """Return the latest version that was published."""
    rows = EntryRevision.objects.filter(entry=entry)
    return rows.filter(status=Entry.Status.PUBLISHED).first()  # latest first


# Submissions -------------------------------------------------------------------------


def list_visible_reviews(user: User, *, show: str = "") -> QuerySet[Review]:
    """Return submissions of entries that `user` may see.

    `show` is "waiting" for those that wait for `user`, "mine" for those that `user`
    submitted (open ones first), "done" for judged ones; "" returns all.
    """
    rows = Review.objects.filter(entry__in=Entry.objects.visible_to(user))
    rows = rows.select_related("entry__category", "by", "reviewer", "judged_by")
    if show == "waiting":
        return list_reviews_awaiting(user, rows)
    if show == "mine":
        closed_last = Case(
            When(state=Review.State.WAITING, then=Value(0)), default=Value(1)
        )
        return rows.filter(by=user).order_by(closed_last, "-at", "-pk")
    if show == "done":
        judged = rows.exclude(state=Review.State.WAITING)
        return judged.order_by("-judged_at", "-pk")
    return rows


def find_review(pk: int, *, user: User) -> Review | None:
    return list_visible_reviews(user).filter(pk=pk).first()


def list_review_comments(review: Review) -> QuerySet[ReviewComment]:
    return ReviewComment.objects.filter(review=review).select_related("by")


# Answers for customers ---------------------------------------------------------------


def find_sendable_entry(pk: int, *, user: User) -> Entry | None:
    """Return the entry if customers may read its answer, so that it can be sent."""
    rows = Entry.objects.published_to(user).filter(audience=Entry.Audience.PUBLIC)
    return rows.exclude(answer_text="").filter(pk=pk).first()


def can_send_entry(entry: Entry) -> bool:
    """Return whether customers may read the answer of `entry`."""
    is_live = entry.status == Entry.Status.PUBLISHED
    is_public = entry.audience == Entry.Audience.PUBLIC
    return is_live and is_public and bool(entry.answer_text)
