"""Record a text that an agent copied: its entries, and the searches before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from kb import usage
from kb.models import CopyEvent, Entry, Pick, Reply, SearchSide, User


@dataclass(frozen=True, slots=True)
class CopiedEntry:
    """An entry that was copied, and the search that found it.

    A private reply may have no entry; without `words` there was no search.
    """

    entry: Entry | None
    reply: Reply | None
    words: str = ""
    rank: int | None = None  # from 1, in the results of the search
    result_count: int | None = None


def find_copied_entry(
    entry_id: int | None, reply_id: int | None, *, user: User
) -> tuple[Entry | None, Reply | None]:
    """Return the entry and the reply that `user` copied.

    Without `entry_id`, the reply is one of their own or their team's. Raises
    Entry.DoesNotExist or Reply.DoesNotExist for what `user` may not send now.
    """
    entries = Entry.objects.published_to(user).in_force()
    if entry_id is None:
        reply = Reply.objects.private_to(user).get(pk=reply_id or 0)
        entry = entries.get(pk=reply.entry_id) if reply.entry_id else None
        return entry, reply
    entry = entries.get(pk=entry_id)
    if not reply_id:
        return entry, None
    return entry, Reply.objects.readable_by(user).get(entry=entry, pk=reply_id)


@transaction.atomic
def record_copied_text(
    copied_entries: Sequence[CopiedEntry], *, by: User, facts: Mapping[str, object]
) -> None:
    """Record each copied entry, and its search as a pick, all or nothing.

    `facts` are columns of CopyEvent that all have in common: kind, channel,
    took_ms, conversation.
    """
    facts = {**facts, "kind": facts.get("kind") or CopyEvent.Kind.REPLY}
    for copied in copied_entries:
        usage.record_copy(
            copied.entry,
            by=by,
            reply=copied.reply,
            words=copied.words,
            rank=copied.rank,
            **facts,
        )
        if copied.words and copied.entry:
            _record_pick(copied, copied.entry, by=by)


def _record_pick(copied: CopiedEntry, entry: Entry, *, by: User) -> None:
    usage.record_search(
        copied.words,
        user=by,
        results=max(copied.result_count or 0, 1),
        entry=entry,
        rank=copied.rank,
    )
    usage.record_pick(
        entry,
        words=copied.words,
        person=usage.build_colleague_key(by),
        side=SearchSide.STAFF,
        kind=Pick.Kind.COPIED,
        rank=copied.rank,
    )
