"""Which entries are copied: by one agent lately, and by everybody often."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Max

from kb.models import Copy, User

MOST = 50  # entries: whoever asks shows fewer, for some may be hidden


def lately(user: User) -> list[int]:
    """Return the ids of what `user` copied, the last first."""
    last = Copy.objects.filter(by=user, entry__isnull=False).order_by().values("entry")
    found = last.annotate(at=Max("at")).order_by("-at").values_list("entry", flat=True)
    return list(found[:MOST])


def often(since: datetime) -> list[int]:
    """Return the ids of what was copied most since then, by whomever."""
    counted = (
        Copy.objects.filter(at__gte=since, entry__isnull=False)
        .order_by()
        .values("entry")
    )
    found = counted.annotate(times=Count("pk")).order_by("-times", "entry")
    return list(found.values_list("entry", flat=True)[:MOST])
