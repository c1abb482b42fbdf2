"""How often entries are opened: counted in memory, written now and then, summed by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from threading import Lock
from time import monotonic

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from kb import write_queue
from kb.models import Entry, EntryQuerySet, Read, Reader

EVERY = 20  # seconds between two writings of a process
MANY = 200  # reads that are not kept waiting
WEEK = 7  # days
KEPT = 90  # days
MOST = 20  # popular entries that anybody is shown

_lock = Lock()
_waiting: Counter[tuple[int, date]] = Counter()
_written = monotonic()


def note(entry_id: int) -> None:
    """Count one reading of an entry; it reaches the database within EVERY seconds.

    Only while somebody reads, or when the process ends. No reader waits for it.
    """
    with _lock:
        _waiting[entry_id, timezone.localdate()] += 1
        due = monotonic() - _written > EVERY or _waiting.total() >= MANY
    if due:
        write()


def write() -> None:
    """Have what was counted added to the database, by the thread that writes facts."""
    global _written
    with _lock:
        counted, _written = _waiting.copy(), monotonic()
        _waiting.clear()
    if counted:
        write_queue.put(lambda: _add(counted))


def forget_waiting() -> None:
    """Drop what waits, as a process does that ends."""
    with _lock:
        _waiting.clear()


def popular(user: Reader, limit: int) -> list[Entry]:
    """Return the entries that were opened most in the last WEEK, for this reader."""
    since = timezone.localdate() - timedelta(days=WEEK - 1)
    return list(_most(user, since)[:limit])


def forget() -> int:
    """Remove the days that are older than KEPT; return how many rows."""
    past = timezone.localdate() - timedelta(days=KEPT)
    return Read.objects.filter(day__lt=past).delete()[0]


def _most(user: Reader, since: date) -> EntryQuerySet:
    readable = Entry.objects.published_to(user).for_lists()
    read = readable.filter(reads__day__gte=since)
    most = read.annotate(times=Sum("reads__count")).order_by("-times", "-pk")
    return most[:MOST]


write_queue.queue.before_close(write)


@transaction.atomic
def _add(taken: Counter[tuple[int, date]]) -> None:
    there = _existing(pk for pk, _ in taken)
    rows = [Read(entry_id=pk, day=day) for pk, day in taken if pk in there]
    Read.objects.bulk_create(rows, ignore_conflicts=True)
    for (pk, day), count in taken.items():
        mine = Read.objects.filter(entry=pk, day=day)
        mine.update(count=F("count") + count)


def _existing(entry_ids: Iterable[int]) -> set[int]:
    """Return which of the entries have not been deleted meanwhile."""
    found = Entry.objects.filter(pk__in=set(entry_ids))
    return set(found.values_list("pk", flat=True))
