"""What the agent and his team keep, above what was found: one reply a row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kb.library import replies
from kb.models import Entry, Reply, User
from kb.web.console.forms import ConsoleRequest

MAX_OWN_REPLIES_SHOWN = 3  # above the results; the page of one's own has them all


@dataclass(frozen=True, slots=True)
class OwnReplyRow:
    """A reply of the agent's own or the team's, as the list and the preview show it."""

    reply: Reply
    number: int = 1  # in the list as it is shown
    preview_template = "console/home/_own_reply_preview.html"

    @property
    def row_key(self) -> str:
        """Return what it is asked for by, where others have an entry's number."""
        return f"r{self.reply.pk}"

    @property
    def variants(self) -> Sequence[Reply]:
        return (self.reply,)


def list_own_replies(
    asked: ConsoleRequest, listed: Collection[Entry], *, user: User
) -> list[OwnReplyRow]:
    """Return what fits the words, but for replies of entries that are `listed`.

    These stand there among the entry's variants. Within a filter of the library
    nothing is found that has no place in it.
    """
    if asked.page > 1 or asked.category or asked.filters.tag or asked.filters.audience:
        return []
    known = {entry.pk for entry in listed}
    found = [
        reply
        for reply in replies.search_private_replies(
            asked.query, user=user, limit=MAX_OWN_REPLIES_SHOWN + len(known)
        )
        if reply.entry_id not in known
        and (not asked.channel or reply.channel in ("", asked.channel))
    ]
    return [
        OwnReplyRow(reply, number)
        for number, reply in enumerate(found[:MAX_OWN_REPLIES_SHOWN], 1)
    ]


def get_own_reply(asked: ConsoleRequest, *, user: User) -> OwnReplyRow | None:
    """Return the reply that was asked for by its own number, if it may be sent."""
    if asked.own_reply_id is None:
        return None
    reply = replies.list_usable_replies(user).filter(pk=asked.own_reply_id).first()
    return OwnReplyRow(reply) if reply else None
