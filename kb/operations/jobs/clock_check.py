"""Nothing is deleted for its age while the clock is in doubt."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from kb.models import AuditEvent, ClockCheck, ContentEdition, Search

MAX_CLOCK_JUMP = timedelta(days=7)  # between two looks at a clock that is believed
# By a clock that went on from where it jumped to. A little less than a day, so that
# the same task of the next night finds it confirmed.
CLOCK_CONFIRMED_AFTER = timedelta(hours=23)
MAX_CLOCK_SKEW = timedelta(hours=1)  # between this machine and the database's
logger = logging.getLogger(__name__)


@transaction.atomic
def explain_clock_doubt() -> str:
    """Return in Chinese why the clock is in doubt; empty when it is believed.

    A clock that jumped ahead makes everything look old. It is believed again
    when it still says so a day later, or once it is back near where it was.
    """
    now = timezone.now()
    if (skew := abs(now - _read_database_clock())) > MAX_CLOCK_SKEW:
        return f"本机时钟和数据库的时钟相差 {_format_span(skew)}，请先校准时钟"
    check = ClockCheck.objects.select_for_update().filter(pk=1).first()
    check = check or ClockCheck(pk=1, seen_at=_find_newest_activity() or now)
    jump = now - check.seen_at
    if jump <= MAX_CLOCK_JUMP or _is_confirmed(check, now):
        check.seen_at, check.doubted_at = now, None
        check.save()
        return ""
    reason = (
        f"时钟比上次看到的快了 {_format_span(jump)}；"
        "如果没有错，一天后自动恢复，或用 kb_learn --force 马上清理"
    )
    if check.doubted_at is None or not _is_near(check.doubted_at, now):
        check.doubted_at = now
        logger.warning("clock: it jumped by %s, nothing is deleted for a day", jump)
        check.save()
    return reason


@transaction.atomic
def confirm_clock() -> None:
    """Take the clock as it is, because a person says so."""
    ClockCheck.objects.update_or_create(
        pk=1, defaults={"seen_at": timezone.now(), "doubted_at": None}
    )


def _is_confirmed(check: ClockCheck, now: datetime) -> bool:
    since = check.doubted_at
    return since is not None and CLOCK_CONFIRMED_AFTER <= now - since <= MAX_CLOCK_JUMP


def _is_near(doubted_at: datetime, now: datetime) -> bool:
    """Return whether this is the same doubt, and not another jump."""
    return timedelta(0) <= now - doubted_at <= MAX_CLOCK_JUMP


def _find_newest_activity() -> datetime | None:
    """Return when somebody last did something, to compare the first look with."""
    moments = (
        Search.objects.aggregate(at=Max("created_at"))["at"],
        AuditEvent.objects.aggregate(at=Max("at"))["at"],
        ContentEdition.objects.aggregate(at=Max("raised_at"))["at"],
    )
    return max((moment for moment in moments if moment), default=None)


def _read_database_clock() -> datetime:
    """Return the time of a database on another machine; ours where there is none."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _format_span(span: timedelta) -> str:
    return f"{span.days} 天" if span.days else f"{span.seconds // 60} 分钟"
