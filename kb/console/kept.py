"""What the agent and his team keep, above what was found: one reply a row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kb import replies
from kb.console.forms import Asked
from kb.models import Entry, Reply, User

MOST = 3  # above the results; the page of one's own has them all


@dataclass(frozen=True, slots=True)
class Kept:
    """A reply of the agent's own or the team's, as the list and the preview show it."""

    reply: Reply
    number: int = 1  # in the list as it is shown
    preview = "console/home/_own_reply_preview.html"

    @property
    def key(self) -> str:
        """Return what it is asked for by, where others have an entry's number."""
        return f"r{self.reply.pk}"

    @property
    def variants(self) -> Sequence[Reply]:
        return (self.reply,)


def kept(asked: Asked, listed: Collection[Entry], *, user: User) -> list[Kept]:
    """Return what fits the words, but for replies of entries that are `listed`.

    These stand there among the entry's variants. Within a filter of the library
    nothing is found that has no place in it.
    """
    if asked.page > 1 or asked.category or asked.within.tag or asked.within.audience:
        return []
    known = {entry.pk for entry in listed}
    found = [
        reply
        for reply in replies.found(asked.words, user=user, limit=MOST + len(known))
        if reply.entry_id not in known
        and (not asked.channel or reply.channel in ("", asked.channel))
    ]
    return [Kept(reply, number) for number, reply in enumerate(found[:MOST], 1)]


def one_kept(asked: Asked, *, user: User) -> Kept | None:
    """Return the reply that was asked for by its own number, if it may be sent."""
    if asked.kept is None:
        return None
    reply = replies.usable(user).filter(pk=asked.kept).first()
    return Kept(reply) if reply else None
