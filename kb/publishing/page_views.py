"""How often entries are opened: counted in memory, written now and then, summed by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from threading import Lock
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from kb.models import Entry, EntryQuerySet, PageView, Reader
from kb.system import write_queue

WRITE_INTERVAL_SECONDS = 20  # seconds between two writings of a process
MAX_PENDING_VIEWS = 200  # reads that are not kept waiting
POPULAR_PERIOD_DAYS = 7  # days
# 100 years stand for ever.
PAGE_VIEW_RETENTION = timedelta(days=settings.KB_RETENTION_DAYS["page_views"] or 36_500)
MAX_POPULAR_ENTRIES = 20  # popular entries that anybody is shown

_lock = Lock()
_pending_views: Counter[tuple[int, date]] = Counter()
_last_flush_at = monotonic()


def count_page_view(entry_id: int) -> None:
    """Count one reading of an entry; it reaches the database within EVERY seconds.

    Only while somebody reads, or when the process ends. No reader waits for it.
    """
    with _lock:
        _pending_views[entry_id, timezone.localdate()] += 1
        due = (
            monotonic() - _last_flush_at > WRITE_INTERVAL_SECONDS
            or _pending_views.total() >= MAX_PENDING_VIEWS
        )
    if due:
        flush_page_views()


def flush_page_views() -> None:
    """Have what was counted added to the database, by the thread that writes facts."""
    global _last_flush_at
    with _lock:
        counted, _last_flush_at = _pending_views.copy(), monotonic()
        _pending_views.clear()
    if counted:
        write_queue.enqueue_write(lambda: _add_page_views(counted))


def discard_pending_views() -> None:
    """Drop what waits, as a process does that ends."""
    with _lock:
        _pending_views.clear()


def list_popular_entries(user: Reader, limit: int) -> list[Entry]:
    """Return the entries that were opened most in the last WEEK, for this reader."""
    since = timezone.localdate() - timedelta(days=POPULAR_PERIOD_DAYS - 1)
    return list(_query_most_viewed(user, since)[:limit])


def delete_old_page_views() -> int:
    """Remove the days that are older than KEPT; return how many rows."""
    past = timezone.localdate() - PAGE_VIEW_RETENTION
    return PageView.objects.filter(day__lt=past).delete()[0]


def _query_most_viewed(user: Reader, since: date) -> EntryQuerySet:
    readable = Entry.objects.published_to(user).with_list_columns()
    read = readable.filter(page_views__day__gte=since)
    most = read.annotate(times=Sum("page_views__count")).order_by("-times", "-pk")
    return most[:MAX_POPULAR_ENTRIES]


write_queue.fact_queue.call_before_close(flush_page_views)


@transaction.atomic
def _add_page_views(taken: Counter[tuple[int, date]]) -> None:
    there = _find_existing_ids(pk for pk, _ in taken)
    rows = [PageView(entry_id=pk, day=day) for pk, day in taken if pk in there]
    PageView.objects.bulk_create(rows, ignore_conflicts=True)
    for (pk, day), count in taken.items():
        mine = PageView.objects.filter(entry=pk, day=day)
        mine.update(count=F("count") + count)


def _find_existing_ids(entry_ids: Iterable[int]) -> set[int]:
    """Return which of the entries have not been deleted meanwhile."""
    found = Entry.objects.filter(pk__in=set(entry_ids))
    return set(found.values_list("pk", flat=True))
