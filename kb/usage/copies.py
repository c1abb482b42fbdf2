"""Every text that an agent copies is kept, in the order of the conversation."""

from __future__ import annotations

from datetime import datetime

from kb.models import CopyEvent, Entry, Reply, User
from kb.usage.masking import mask_words


def record_copy(
    entry: Entry | None,
    *,
    by: User,
    reply: Reply | None = None,
    words: str = "",
    **facts: object,
) -> CopyEvent:
    """Keep that `by` copied `entry`, or a reply that has none, after `words` if there were any.

    `facts` are columns of Copy: kind, rank, channel, took_ms, conversation.
    """
    variant = reply.label if reply else ""
    made = CopyEvent(entry=entry, by=by, reply=reply, variant=variant, **facts)
    made.words = mask_words(words)
    made.full_clean()
    made.save()
    return made


def erase_copied_words(before: datetime) -> int:
    """Take the words off copies of before; the figures stay. Return how many."""
    return CopyEvent.objects.filter(at__lt=before).exclude(words="").update(words="")
