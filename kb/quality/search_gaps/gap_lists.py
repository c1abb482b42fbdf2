"""Lists of search gaps for staff: reads only."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, QuerySet
from django.utils import timezone

from kb.models import SearchGap, SearchSide, User


def list_gaps(status: str, *, side: str = "") -> QuerySet[SearchGap]:
    """Return gaps of `status`: open ones by urgency, others the latest first.

    `side` filters by SearchSide; any other value does not filter.
    """
    if status == SearchGap.Status.OPEN:
        rows = SearchGap.objects.needing_attention().order_by(
            "-fell", "-misses", "-last_at", "pk"
        )
    else:
        rows = SearchGap.objects.filter(status=status).order_by("-settled_at", "pk")
    return rows.filter(side=side) if side in SearchSide.values else rows


def count_gaps() -> dict[str, int]:
    """Return {status: number of gaps}; of open ones only those that need attention."""
    rows = SearchGap.objects.order_by().values_list("status").annotate(n=Count("pk"))
    open_count = SearchGap.objects.needing_attention().count()
    return {**dict(rows), str(SearchGap.Status.OPEN): open_count}


def find_gap(pk: int) -> SearchGap | None:
    rows = SearchGap.objects.filter(pk=pk)
    return rows.select_related("entry", "by").first()


def find_last_declined_gap(user: User, *, within: timedelta) -> SearchGap | None:
    """Return the gap that `user` declined last, not longer than `within` ago."""
    rows = SearchGap.objects.filter(
        by=user,
        status=SearchGap.Status.DECLINED,
        settled_at__gt=timezone.now() - within,
    )
    return rows.order_by("-settled_at").first()
