"""Entries that are due for review.

An entry is due on its own date `review_at`, or when the review interval of its category
has passed since it was last reviewed, published or created.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from kb.accounts import audit_log
from kb.library.entries import entry_rights, revision_history
from kb.models import (
    AuditEvent,
    Category,
    CategoryRight,
    CopyEvent,
    Entry,
    EntryQuerySet,
    PageView,
    ReplyFeedback,
    User,
    Vote,
)
from kb.models.category_permission import get_permitted_category_ids

USAGE_PERIOD = timedelta(days=90)  # in which page views and copies count
MAX_REVIEW_INTERVAL_DAYS = 3650


@dataclass(frozen=True, slots=True)
class DueEntry:
    """An entry that is due since `due_since`, and the figures that make it urgent."""

    entry_id: int
    due_since: date
    days_overdue: int
    recent_use_count: int  # page views and copies in USAGE_PERIOD
    open_complaint_count: int  # unhandled 没帮助 votes
    open_feedback_count: int  # feedback of agents without an answer

    @property
    def urgency(self) -> int:
        """The product of (1 + figure) over the four figures.

        A heuristic of ours: of two entries that are equally late, the one with more
        readers or complaints comes first, and no figure of 0 cancels the others.
        """
        factors = (
            self.days_overdue,
            self.recent_use_count,
            self.open_complaint_count,
            self.open_feedback_count,
        )
        weight = 1
        for factor in factors:
            weight *= 1 + factor
        return weight


def get_review_intervals() -> dict[int, int]:
    """Return {category id: days}; without its own value a category has its parent's."""
    intervals: dict[int, int] = {}
    for category in Category.objects.with_tree_fields():  # parents before children
        days = category.review_every or intervals.get(category.parent_id or 0)
        if days:
            intervals[category.pk] = days
    return intervals


def list_due_entries(today: date | None = None) -> EntryQuerySet:
    """Return the published entries that are due for review on the day `today`."""
    today = today or timezone.localdate()
    is_due = Q(review_at__lte=today)
    for days, category_ids in _group_categories_by_days(get_review_intervals()).items():
        latest_check = timezone.now() - timedelta(days=days)
        is_due |= Q(
            review_at=None, category__in=category_ids, looked_at__lte=latest_check
        )
    published = Entry.objects.filter(status=Entry.Status.PUBLISHED)
    last_checked = Coalesce("reviewed_at", "published_at", "created_at")
    return published.alias(looked_at=last_checked).filter(is_due)


def list_due_entries_for(user: User) -> EntryQuerySet:
    """Return due entries that `user` owns, and those without an owner they may write.

    An entry whose owner's account is disabled counts as one without an owner.
    """
    unowned = Q(owner=None) | Q(owner__is_active=False)
    if (permitted := get_permitted_category_ids(user, CategoryRight.WRITE)) is not None:
        unowned &= Q(category__in=permitted)
    return list_due_entries().filter(Q(owner=user) | unowned)


def _group_categories_by_days(intervals: dict[int, int]) -> dict[int, list[int]]:
    categories_by_days: dict[int, list[int]] = {}
    for category_id, days in intervals.items():
        categories_by_days.setdefault(days, []).append(category_id)
    return categories_by_days


def rank_due_entries(entries: QuerySet[Entry]) -> list[DueEntry]:
    """Return the due `entries` with their figures, most urgent first."""
    today, now = timezone.localdate(), timezone.now()
    intervals = get_review_intervals()
    last_checked = Coalesce("reviewed_at", "published_at", "created_at")
    rows = entries.annotate(seen_=last_checked).values_list(
        "pk", "review_at", "seen_", "category"
    )
    ids = entries.order_by().values("pk")
    page_views = PageView.objects.filter(entry__in=ids, day__gt=today - USAGE_PERIOD)
    view_counts = dict(page_views.values_list("entry").annotate(Sum("count")))
    copy_counts = _count_by_entry(
        CopyEvent.objects.filter(entry__in=ids, at__gt=now - USAGE_PERIOD)
    )
    complaint_counts = _count_by_entry(
        Vote.objects.filter(entry__in=ids, helpful=False, handled_at=None)
    )
    feedback_counts = _count_by_entry(
        ReplyFeedback.objects.unresolved().filter(entry__in=ids)
    )
    due_entries = []
    for pk, review_at, checked_at, category_id in rows:
        interval = timedelta(days=intervals.get(category_id or 0, 0))
        due_since = review_at or timezone.localdate(checked_at) + interval
        use_count = view_counts.get(pk, 0) + copy_counts.get(pk, 0)
        days = max(0, (today - due_since).days)
        due_entries.append(
            DueEntry(
                pk,
                due_since,
                days,
                use_count,
                complaint_counts.get(pk, 0),
                feedback_counts.get(pk, 0),
            )
        )
    return sorted(
        due_entries, key=lambda due: (-due.urgency, due.due_since, due.entry_id)
    )


def _count_by_entry(
    rows: QuerySet[CopyEvent] | QuerySet[Vote] | QuerySet[ReplyFeedback],
) -> dict[int, int]:
    return dict(rows.order_by().values_list("entry").annotate(Count("pk")))


@transaction.atomic
def confirm_entry(
    entry: Entry, *, by: User | None, next_in_days: int | None = None
) -> Entry:
    """Record that `entry` was reviewed and is right; it is due in `next_in_days` days.

    For None the interval of its category holds; without one it is never due. The
    entry gets no new version because its content is unchanged. Raises
    PermissionDenied, ValidationError.
    """
    entry_rights.require_category_right(CategoryRight.WRITE, entry.category_id, by=by)
    if next_in_days is not None and not 0 < next_in_days <= MAX_REVIEW_INTERVAL_DAYS:
        raise ValidationError(f"请填 1 到 {MAX_REVIEW_INTERVAL_DAYS} 之间的天数。")
    entry = Entry.objects.select_for_update().get(pk=entry.pk)
    revision_history.ensure_current_revision(entry)
    entry.reviewed_at = timezone.now()
    next_day = (
        timezone.localdate() + timedelta(days=next_in_days) if next_in_days else None
    )
    entry.review_at = next_day
    rows = Entry.objects.filter(pk=entry.pk)
    rows.update(reviewed_at=entry.reviewed_at, review_at=next_day)
    revision_history.refresh_revision_content(entry)
    audit_log.record_event(
        AuditEvent.Action.REVIEW_CONFIRMED, f"「{entry}」#{entry.pk}", by=by
    )
    return entry


def group_entries_by_owner(entries: Iterable[Entry]) -> dict[User, list[Entry]]:
    """Return {owner: entries} for owners whose account is active."""
    entries_by_owner: dict[User, list[Entry]] = {}
    for entry in entries:
        if entry.owner is not None and entry.owner.is_active:
            entries_by_owner.setdefault(entry.owner, []).append(entry)
    return entries_by_owner


def list_visible_due_entries(user: User) -> dict[str, EntryQuerySet]:
    """Return the due entries by tab: "" for `user` to review, "mine" owned, "all"."""
    due_entries = list_due_entries().visible_to(user)
    return {
        "": list_due_entries_for(user).visible_to(user),
        "mine": due_entries.filter(owner=user),
        "all": due_entries,
    }
