"""Every text that an agent copies is kept, in the order of the conversation."""

from __future__ import annotations

from datetime import datetime

from kb.feedback.keeping import kept
from kb.models import Copy, Entry, Reply, User


def copied(
    entry: Entry | None,
    *,
    by: User,
    reply: Reply | None = None,
    words: str = "",
    **facts: object,
) -> Copy:
    """Keep that `by` copied `entry`, or a reply that has none, after `words` if there were any.

    `facts` are columns of Copy: kind, rank, channel, took_ms, conversation.
    """
    variant = reply.label if reply else ""
    made = Copy(entry=entry, by=by, reply=reply, variant=variant, **facts)
    made.words = kept(words)
    made.full_clean()
    made.save()
    return made


def forget(before: datetime) -> int:
    """Take the words off copies of before; the figures stay. Return how many."""
    return Copy.objects.filter(at__lt=before).exclude(words="").update(words="")
