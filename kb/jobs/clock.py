"""Nothing is deleted for its age while the clock is in doubt."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from kb.models import ClockCheck, ContentEdition, Deed, Search

MAX_JUMP = timedelta(days=7)  # between two looks at a clock that is believed
# By a clock that went on from where it jumped to. A little less than a day, so that
# the same task of the next night finds it confirmed.
CONFIRMED_AFTER = timedelta(hours=23)
MAX_SKEW = timedelta(hours=1)  # between this machine and the database's
logger = logging.getLogger(__name__)


@transaction.atomic
def clock_doubt() -> str:
    """Return in Chinese why the clock is in doubt; empty when it is believed.

    A clock that jumped ahead makes everything look old. It is believed again
    when it still says so a day later, or once it is back near where it was.
    """
    now = timezone.now()
    if (skew := abs(now - _database_clock())) > MAX_SKEW:
        return f"本机时钟和数据库的时钟相差 {_told(skew)}，请先校准时钟"
    check = ClockCheck.objects.select_for_update().filter(pk=1).first()
    check = check or ClockCheck(pk=1, seen_at=_newest_row() or now)
    jump = now - check.seen_at
    if jump <= MAX_JUMP or _is_confirmed(check, now):
        check.seen_at, check.doubted_at = now, None
        check.save()
        return ""
    reason = (
        f"时钟比上次看到的快了 {_told(jump)}；"
        "如果没有错，一天后自动恢复，或用 kb_learn --force 马上清理"
    )
    if check.doubted_at is None or not _is_near(check.doubted_at, now):
        check.doubted_at = now
        logger.warning("clock: it jumped by %s, nothing is deleted for a day", jump)
        check.save()
    return reason


@transaction.atomic
def believe_clock() -> None:
    """Take the clock as it is, because a person says so."""
    ClockCheck.objects.update_or_create(
        pk=1, defaults={"seen_at": timezone.now(), "doubted_at": None}
    )


def _is_confirmed(check: ClockCheck, now: datetime) -> bool:
    since = check.doubted_at
    return since is not None and CONFIRMED_AFTER <= now - since <= MAX_JUMP


def _is_near(doubted_at: datetime, now: datetime) -> bool:
    """Return whether this is the same doubt, and not another jump."""
    return timedelta(0) <= now - doubted_at <= MAX_JUMP


def _newest_row() -> datetime | None:
    """Return when somebody last did something, to compare the first look with."""
    moments = (
        Search.objects.aggregate(at=Max("created_at"))["at"],
        Deed.objects.aggregate(at=Max("at"))["at"],
        ContentEdition.objects.aggregate(at=Max("raised_at"))["at"],
    )
    return max((moment for moment in moments if moment), default=None)


def _database_clock() -> datetime:
    """Return the time of a database on another machine; ours where there is none."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _told(span: timedelta) -> str:
    return f"{span.days} 天" if span.days else f"{span.seconds // 60} 分钟"
