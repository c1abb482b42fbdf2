"""What must be looked at again: by a date of its own, or as often as its category says."""

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

USAGE_PERIOD = timedelta(days=90)  # reads and copies that count
MAX_REVIEW_INTERVAL_DAYS = 3650  # days until the next time


@dataclass(frozen=True, slots=True)
class DueEntry:
    """An entry that is due since `since`, and what makes it urgent.

    weight = days · reads · votes · remarks, each at least 1: of two that are as
    late, the one that more people read, or complain of, comes first.
    """

    entry_id: int
    due_since: date
    days_overdue: int
    recent_use_count: int  # opened by customers and copied by agents, lately
    open_complaint_count: int  # 没帮助, not dealt with
    open_feedback_count: int  # of agents, not answered

    @property
    def urgency(self) -> int:
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
    """Return {category: days}: its own, or that of the nearest above it."""
    found: dict[int, int] = {}
    for node in Category.objects.with_tree_fields():  # parents before children
        days = node.review_every or found.get(node.parent_id or 0)
        if days:
            found[node.pk] = days
    return found


def list_due_entries(today: date | None = None) -> EntryQuerySet:
    """Return the published entries that somebody should look at again."""
    today = today or timezone.localdate()
    passed = Q(review_at__lte=today)
    for days, places in _group_categories_by_days(get_review_intervals()).items():
        old = timezone.now() - timedelta(days=days)
        passed |= Q(review_at=None, category__in=places, looked_at__lte=old)
    live = Entry.objects.filter(status=Entry.Status.PUBLISHED)
    looked = Coalesce("reviewed_at", "published_at", "created_at")
    return live.alias(looked_at=looked).filter(passed)


def list_due_entries_for(user: User) -> EntryQuerySet:
    """Of what is due, what waits for `user`: what he answers for, and what nobody does.

    Of the latter only where he may write; who has left answers for nothing.
    """
    nobodys = Q(owner=None) | Q(owner__is_active=False)
    if (held := get_permitted_category_ids(user, CategoryRight.WRITE)) is not None:
        nobodys &= Q(category__in=held)
    return list_due_entries().filter(Q(owner=user) | nobodys)


def _group_categories_by_days(found: dict[int, int]) -> dict[int, list[int]]:
    places: dict[int, list[int]] = {}
    for category, days in found.items():
        places.setdefault(days, []).append(category)
    return places


def rank_due_entries(entries: QuerySet[Entry]) -> list[DueEntry]:
    """Return why each of `entries`, which are due, is urgent; the heaviest first."""
    today, now = timezone.localdate(), timezone.now()
    every = get_review_intervals()
    looked = Coalesce("reviewed_at", "published_at", "created_at")
    rows = entries.annotate(seen_=looked).values_list(
        "pk", "review_at", "seen_", "category"
    )
    ids = entries.order_by().values("pk")
    reads = PageView.objects.filter(entry__in=ids, day__gt=today - USAGE_PERIOD)
    read = dict(reads.values_list("entry").annotate(Sum("count")))
    copied = _count_by_entry(
        CopyEvent.objects.filter(entry__in=ids, at__gt=now - USAGE_PERIOD)
    )
    votes = _count_by_entry(
        Vote.objects.filter(entry__in=ids, helpful=False, handled_at=None)
    )
    remarks = _count_by_entry(ReplyFeedback.objects.unresolved().filter(entry__in=ids))
    found = []
    for pk, review_at, seen, place in rows:
        interval = timedelta(days=every.get(place or 0, 0))
        since = review_at or timezone.localdate(seen) + interval
        used = read.get(pk, 0) + copied.get(pk, 0)
        days = max(0, (today - since).days)
        found.append(
            DueEntry(pk, since, days, used, votes.get(pk, 0), remarks.get(pk, 0))
        )
    return sorted(found, key=lambda one: (-one.urgency, one.due_since, one.entry_id))


def _count_by_entry(
    rows: QuerySet[CopyEvent] | QuerySet[Vote] | QuerySet[ReplyFeedback],
) -> dict[int, int]:
    return dict(rows.order_by().values_list("entry").annotate(Count("pk")))


@transaction.atomic
def confirm_entry(entry: Entry, *, by: User | None, again: int | None = None) -> Entry:
    """Say that `entry` is right as it is; look again in `again` days.

    Without `again` as its category says, and where that says nothing, never.
    It is no new version: nothing was written.
    """
    entry_rights.require_category_right(CategoryRight.WRITE, entry.category_id, by=by)
    if again is not None and not 0 < again <= MAX_REVIEW_INTERVAL_DAYS:
        raise ValidationError(f"请填 1 到 {MAX_REVIEW_INTERVAL_DAYS} 之间的天数。")
    entry = Entry.objects.select_for_update().get(pk=entry.pk)
    revision_history.ensure_current_revision(entry)
    entry.reviewed_at = timezone.now()
    next_day = timezone.localdate() + timedelta(days=again) if again else None
    entry.review_at = next_day
    rows = Entry.objects.filter(pk=entry.pk)
    rows.update(reviewed_at=entry.reviewed_at, review_at=next_day)
    revision_history.refresh_revision_content(entry)
    audit_log.record_event(
        AuditEvent.Action.REVIEW_CONFIRMED, f"「{entry}」#{entry.pk}", by=by
    )
    return entry


def group_by_owner(entries: Iterable[Entry]) -> dict[User, list[Entry]]:
    """Return who answers for which of `entries`, of people who are still here."""
    found: dict[User, list[Entry]] = {}
    for entry in entries:
        if entry.owner is not None and entry.owner.is_active:
            found.setdefault(entry.owner, []).append(entry)
    return found
