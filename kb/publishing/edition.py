"""The edition of what public pages show: a copy of a page is good for one edition."""

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

# What pages show inside of the frame of their site and its categories.
EDITION_READ_TIMEOUT_SECONDS = (
    0.5  # for the database to tell the edition, where one is known
)
EDITION_RETRY_SECONDS = 2.0  # in which a database that did not tell is not asked again
MAX_STALE_EDITION_SECONDS = (
    3600  # for which pages in memory are shown without the database
)
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
    """Which edition it is, when it changed last, and how many notices run now.

    An entry or a public notice that begins or ends by the clock changes `raised_at`,
    as a save does. `outline` is the same for two editions with the same sites and
    categories.
    """

    number: int = 0
    raised_at: datetime | None = None
    running_announcements: int = 0
    outline: object = None
    # The database did not answer: this was the edition when it last did.
    is_stale: bool = field(default=False, compare=False, repr=False)


@dataclass(slots=True)
class _CachedEdition:
    """The edition that this process read last; times are monotonic."""

    stamp: ContentEditionStamp
    read_at: float
    retry_at: float = 0.0


_cached_editions: list[_CachedEdition] = []  # one at most


# By hand: Django takes ten times as long to put the query together as the database
# to answer it, and every page asks.
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
    """Return the edition in force, or the last one known while the database is away.

    Raises DatabaseError where none has been known within MAX_STALE_SECONDS.
    """
    now, known = monotonic(), next(iter(_cached_editions), None)
    if known is None or now - known.read_at > MAX_STALE_EDITION_SECONDS:
        stamp = _query_edition()
    elif now < known.retry_at:
        return replace(known.stamp, is_stale=True)
    else:
        if known.retry_at:  # it failed before: one request tries, nobody else waits
            known.retry_at = now + EDITION_RETRY_SECONDS
        try:
            with time_limits.limit_time(EDITION_READ_TIMEOUT_SECONDS):
                stamp = _query_edition()
        except DatabaseError:
            known.retry_at = monotonic() + EDITION_RETRY_SECONDS
            return replace(known.stamp, is_stale=True)
    _cached_editions[:] = [_CachedEdition(stamp, now)]
    return stamp


def clear_cached_edition() -> None:
    """Forget the edition that was read last, as a new process does."""
    _cached_editions.clear()


def _query_edition() -> ContentEditionStamp:
    """Return the edition in force, in one small query."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        public = Announcement.Audience.PUBLIC.value
        cursor.execute(
            _EDITION_SQL, [public, now, now, public, now, public, now, now, now]
        )
        found = cursor.fetchone()
    if found is None:  # nothing was saved yet, and nothing says when: no copy is good
        unknown = timezone.now()
        return ContentEditionStamp(raised_at=unknown, outline=unknown)
    number, raised, outline, outlined, notices, *turned = found
    changed = max(_parse_database_moment(one) for one in (raised, *turned) if one)
    return ContentEditionStamp(number, changed, notices, (outline, outlined))


def _parse_database_moment(found: datetime | str) -> datetime:
    """Return a moment of the database's; SQLite keeps them as text, in UTC."""
    moment = datetime.fromisoformat(found) if isinstance(found, str) else found
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def get_request_edition(request: Any) -> ContentEditionStamp:
    """Return the edition that this request found in force, asked for once."""
    found: ContentEditionStamp | None = getattr(request, "edition", None)
    if found is None:
        found = request.edition = get_edition()
    return found


def increment_edition(sender: object = None, **kwargs: Any) -> None:
    """Let every copy of a page be made anew, once this transaction commits.

    The outline stays only where the `sender` is known to be no part of it.
    """
    now = timezone.now()
    changed: dict[str, Any] = {"number": F("number") + 1, "raised_at": now}
    if sender not in SENDERS_OUTSIDE_OUTLINE:
        changed |= {"outline": F("outline") + 1, "outlined_at": now}
    if not ContentEdition.objects.filter(pk=1).update(**changed):
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
