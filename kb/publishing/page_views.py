"""Page views of entries: counted in memory, written in batches, stored by day."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from threading import Lock
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from kb.models import Entry, EntryQuerySet, PageView, Reader
from kb.system import write_queue

WRITE_INTERVAL_SECONDS = 20  # between two writes of a process
MAX_PENDING_VIEWS = 200  # views that are written before the interval has passed
POPULAR_PERIOD_DAYS = 7
# 0 means for ever: some hundred years.
PAGE_VIEW_RETENTION = timedelta(days=settings.KB_RETENTION_DAYS["page_views"] or 36_500)
MAX_POPULAR_ENTRIES = 20

_lock = Lock()
_pending_views: Counter[tuple[int, date]] = Counter()
_last_flush_at = monotonic()


def count_page_view(entry_id: int) -> None:
    """Count one view of an entry. The request does not wait for the database.

    Views are written by a later view, after WRITE_INTERVAL_SECONDS, or when the
    process ends.
    """
    with _lock:
        _pending_views[entry_id, timezone.localdate()] += 1
        is_due = (
            monotonic() - _last_flush_at > WRITE_INTERVAL_SECONDS
            or _pending_views.total() >= MAX_PENDING_VIEWS
        )
    if is_due:
        flush_page_views()


def flush_page_views() -> None:
    """Have the pending views written, by the thread of the write queue."""
    global _last_flush_at
    with _lock:
        counts, _last_flush_at = _pending_views.copy(), monotonic()
        _pending_views.clear()
    if counts:
        write_queue.enqueue_write(lambda: _add_page_views(counts))


def discard_pending_views() -> None:
    """Drop the pending views, as in a new process."""
    with _lock:
        _pending_views.clear()


def list_popular_entries(user: Reader, limit: int) -> list[Entry]:
    """Return the entries with most views in POPULAR_PERIOD_DAYS that `user` may read."""
    since = timezone.localdate() - timedelta(days=POPULAR_PERIOD_DAYS - 1)
    return list(_query_most_viewed(user, since)[:limit])


def delete_old_page_views() -> int:
    """Delete the counts older than PAGE_VIEW_RETENTION; return the number of rows."""
    first_day = timezone.localdate() - PAGE_VIEW_RETENTION
    return PageView.objects.filter(day__lt=first_day).delete()[0]


def _query_most_viewed(user: Reader, since: date) -> EntryQuerySet:
    readable = Entry.objects.published_to(user).with_list_columns()
    viewed = readable.filter(page_views__day__gte=since)
    counted = viewed.annotate(view_count=Sum("page_views__count"))
    return counted.order_by("-view_count", "-pk")[:MAX_POPULAR_ENTRIES]


write_queue.fact_queue.call_before_close(flush_page_views)


@transaction.atomic
def _add_page_views(counts: Counter[tuple[int, date]]) -> None:
    # Entries may have been deleted in the meantime.
    entries = Entry.objects.filter(pk__in={pk for pk, _ in counts})
    existing_ids = set(entries.values_list("pk", flat=True))
    rows = [PageView(entry_id=pk, day=day) for pk, day in counts if pk in existing_ids]
    PageView.objects.bulk_create(rows, ignore_conflicts=True)
    for (pk, day), count in counts.items():
        views = PageView.objects.filter(entry=pk, day=day)
        views.update(count=F("count") + count)
