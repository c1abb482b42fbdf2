"""Which entries are copied: by one agent lately, and by everybody often."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Max

from kb.models import CopyEvent, User

MAX_COPIED_ENTRIES = 50  # entries: whoever asks shows fewer, for some may be hidden


def list_recently_copied_ids(user: User) -> list[int]:
    """Return the ids of what `user` copied, the last first."""
    last = (
        CopyEvent.objects.filter(by=user, entry__isnull=False)
        .order_by()
        .values("entry")
    )
    found = last.annotate(at=Max("at")).order_by("-at").values_list("entry", flat=True)
    return list(found[:MAX_COPIED_ENTRIES])


def list_often_copied_ids(since: datetime) -> list[int]:
    """Return the ids of what was copied most since then, by whomever."""
    counted = (
        CopyEvent.objects.filter(at__gte=since, entry__isnull=False)
        .order_by()
        .values("entry")
    )
    found = counted.annotate(times=Count("pk")).order_by("-times", "entry")
    return list(found.values_list("entry", flat=True)[:MAX_COPIED_ENTRIES])
