"""Copies: every text that an agent copies, and lists of entries that are copied."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Max

from kb.models import CopyEvent, Entry, Reply, User
from kb.usage.masking import mask_words

# Pages show fewer: the reader may not see all of these entries.
MAX_COPIED_ENTRIES = 50


def record_copy(
    entry: Entry | None,
    *,
    by: User,
    reply: Reply | None = None,
    words: str = "",
    **columns: object,
) -> CopyEvent:
    """Record that `by` copied `entry`, or a reply without an entry.

    `words` are those of the search before, `columns` further columns of CopyEvent:
    kind, rank, channel, took_ms, conversation.
    """
    reply_label = reply.label if reply else ""
    event = CopyEvent(entry=entry, by=by, reply=reply, variant=reply_label, **columns)
    event.words = mask_words(words)
    event.full_clean()
    event.save()
    return event


def erase_copied_words(before: datetime) -> int:
    """Erase the search words of copies before that time; return how many."""
    return CopyEvent.objects.filter(at__lt=before).exclude(words="").update(words="")


def list_recently_copied_ids(user: User) -> list[int]:
    """Return ids of entries that `user` copied, last copied first."""
    by_entry = (
        CopyEvent.objects.filter(by=user, entry__isnull=False)
        .order_by()
        .values("entry")
    )
    ids = (
        by_entry.annotate(at=Max("at")).order_by("-at").values_list("entry", flat=True)
    )
    return list(ids[:MAX_COPIED_ENTRIES])


def list_often_copied_ids(since: datetime) -> list[int]:
    """Return ids of entries that all users copied since then, most copied first."""
    by_entry = (
        CopyEvent.objects.filter(at__gte=since, entry__isnull=False)
        .order_by()
        .values("entry")
    )
    ranked = by_entry.annotate(times=Count("pk")).order_by("-times", "entry")
    return list(ranked.values_list("entry", flat=True)[:MAX_COPIED_ENTRIES])
