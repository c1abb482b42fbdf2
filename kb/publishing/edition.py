"""The edition of the content of public pages: a cached page is valid for one edition."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import F
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from kb.models import (
    Announcement,
    Category,
    ContentEdition,
    Entry,
    EntryTranslation,
    FollowUp,
    Picture,
    Site,
    Tag,
)
from kb.system.database import time_limits

# Time limit of the query, while an earlier edition can be used instead.
EDITION_READ_TIMEOUT_SECONDS = 0.5
EDITION_RETRY_SECONDS = 2.0  # until the next query after one that failed
# How long pages in memory are served while the database does not answer.
MAX_STALE_EDITION_SECONDS = 3600
# Models whose changes leave sites and categories as they are.
SENDERS_OUTSIDE_OUTLINE = (
    Entry,
    EntryTranslation,
    Tag,
    FollowUp,
    Announcement,
    Entry.tags.through,
)


@dataclass(frozen=True, slots=True)
class ContentEditionStamp:
    """Number and time of the last change, and how many announcements run now.

    An entry or a public announcement that starts or ends by its time changes
    `raised_at`, as a save does. `outline` is equal for editions with the same sites
    and categories.
    """

    number: int = 0
    raised_at: datetime | None = None
    running_announcements: int = 0
    outline: object = None
    # The database did not answer; this is the edition that it returned last.
    is_stale: bool = field(default=False, compare=False, repr=False)


@dataclass(slots=True)
class _CachedEdition:
    """The edition that this process read last; times are those of time.monotonic."""

    stamp: ContentEditionStamp
    read_at: float
    retry_at: float = 0.0


_cached_editions: list[_CachedEdition] = []  # at most one


# Every page runs it. Django needs ten times as long to build the query as the
# database to answer it.
_EDITION_SQL = """
SELECT number, raised_at, outline, outlined_at, (
    SELECT COUNT(*) FROM kb_announcement
    WHERE audience = %s AND starts_at <= %s AND ends_at > %s
), (
    SELECT MAX(starts_at) FROM kb_announcement WHERE audience = %s AND starts_at <= %s
), (
    SELECT MAX(ends_at) FROM kb_announcement WHERE audience = %s AND ends_at <= %s
), (
    SELECT MAX(valid_from) FROM kb_entry WHERE valid_from <= %s
), (
    SELECT MAX(valid_until) FROM kb_entry WHERE valid_until <= %s
) FROM kb_contentedition WHERE id = 1
"""


def get_edition() -> ContentEditionStamp:
    """Return the current edition; the last one read if the database does not answer.

    Raises DatabaseError if none was read within MAX_STALE_EDITION_SECONDS.
    """
    now, cached = monotonic(), next(iter(_cached_editions), None)
    if cached is None or now - cached.read_at > MAX_STALE_EDITION_SECONDS:
        stamp = _query_edition()
    elif now < cached.retry_at:
        return replace(cached.stamp, is_stale=True)
    else:
        if cached.retry_at:  # it failed before: one request tries, the others go on
            cached.retry_at = now + EDITION_RETRY_SECONDS
        try:
            with time_limits.limit_time(EDITION_READ_TIMEOUT_SECONDS):
                stamp = _query_edition()
        except DatabaseError:
            cached.retry_at = monotonic() + EDITION_RETRY_SECONDS
            return replace(cached.stamp, is_stale=True)
    _cached_editions[:] = [_CachedEdition(stamp, now)]
    return stamp


def clear_cached_edition() -> None:
    """Forget the edition that was read last, as in a new process."""
    _cached_editions.clear()


def _query_edition() -> ContentEditionStamp:
    """Return the current edition, in one small query."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        public = Announcement.Audience.PUBLIC.value
        cursor.execute(
            _EDITION_SQL, [public, now, now, public, now, public, now, now, now]
        )
        row = cursor.fetchone()
    if row is None:  # nothing was saved yet; without a time no cached page is valid
        unknown = timezone.now()
        return ContentEditionStamp(raised_at=unknown, outline=unknown)
    number, raised_at, outline, outlined_at, running, *clock_changes = row
    times = [_parse_database_time(time) for time in (raised_at, *clock_changes) if time]
    return ContentEditionStamp(number, max(times), running, (outline, outlined_at))


def _parse_database_time(value: datetime | str) -> datetime:
    """Return an aware time; SQLite returns times as text, in UTC."""
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def get_request_edition(request: Any) -> ContentEditionStamp:
    """Return the edition at the first call of this request, kept on the request."""
    stamp: ContentEditionStamp | None = getattr(request, "edition", None)
    if stamp is None:
        stamp = request.edition = get_edition()
    return stamp


def increment_edition(sender: object = None, **kwargs: Any) -> None:
    """Invalidate all cached pages, once this transaction commits.

    The outline is kept if `sender` is one of SENDERS_OUTSIDE_OUTLINE.
    """
    now = timezone.now()
    changes: dict[str, Any] = {"number": F("number") + 1, "raised_at": now}
    if sender not in SENDERS_OUTSIDE_OUTLINE:
        changes |= {"outline": F("outline") + 1, "outlined_at": now}
    if not ContentEdition.objects.filter(pk=1).update(**changes):
        first = ContentEdition(pk=1, number=1, raised_at=now, outlined_at=now)
        ContentEdition.objects.bulk_create([first], ignore_conflicts=True)


for _model in (
    Entry,
    EntryTranslation,
    Tag,
    FollowUp,
    Announcement,
    Category,
    Picture,
    Site,
):
    for _signal in (post_save, post_delete):
        _uid = f"kb.publishing.edition.{_model.__name__}"
        _signal.connect(increment_edition, sender=_model, dispatch_uid=_uid)


@receiver(
    m2m_changed, sender=Entry.tags.through, dispatch_uid="kb.publishing.edition.tags"
)
@receiver(
    m2m_changed,
    sender=Site.categories.through,
    dispatch_uid="kb.publishing.edition.sites",
)
def _increment_on_link_change(action: str, sender: object, **kwargs: Any) -> None:
    if action.startswith("post_"):
        increment_edition(sender)
