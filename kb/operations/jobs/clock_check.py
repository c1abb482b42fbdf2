"""Checks the clock, so that a wrong one does not delete rows as expired."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from kb.models import AuditEvent, ClockCheck, ContentEdition, Search

MAX_CLOCK_JUMP = timedelta(days=7)  # between two checks of a clock that is trusted
# After this time a clock that jumped and went on is trusted. A little less than a day,
# so that the same task runs the next night.
CLOCK_CONFIRMED_AFTER = timedelta(hours=23)
MAX_CLOCK_SKEW = timedelta(hours=1)  # between this machine and the database server
logger = logging.getLogger(__name__)


@transaction.atomic
def explain_clock_doubt() -> str:
    """Return why the clock is not trusted, in Chinese; "" when it is trusted.

    A clock that jumped ahead makes everything look old. It is trusted again when it
    still shows that time a day later, or when it is back near the time before.
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
    """Trust the clock as it is, on the word of an operator."""
    ClockCheck.objects.update_or_create(
        pk=1, defaults={"seen_at": timezone.now(), "doubted_at": None}
    )


def _is_confirmed(check: ClockCheck, now: datetime) -> bool:
    since = check.doubted_at
    return since is not None and CLOCK_CONFIRMED_AFTER <= now - since <= MAX_CLOCK_JUMP


def _is_near(doubted_at: datetime, now: datetime) -> bool:
    """Return whether this is the jump that was noticed before, and not another one."""
    return timedelta(0) <= now - doubted_at <= MAX_CLOCK_JUMP


def _find_newest_activity() -> datetime | None:
    """Return the time of the last activity in the database, for the first check."""
    times = (
        Search.objects.aggregate(at=Max("created_at"))["at"],
        AuditEvent.objects.aggregate(at=Max("at"))["at"],
        ContentEdition.objects.aggregate(at=Max("raised_at"))["at"],
    )
    return max((at for at in times if at), default=None)


def _read_database_clock() -> datetime:
    """Return the time of the database server; that of this machine for SQLite."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _format_span(span: timedelta) -> str:
    return f"{span.days} 天" if span.days else f"{span.seconds // 60} 分钟"
