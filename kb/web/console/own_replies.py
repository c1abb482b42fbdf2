"""The agent's own replies and the team's above the results, one reply a row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kb.library import replies
from kb.models import Entry, Reply, User
from kb.web.console.forms import ConsoleRequest

MAX_OWN_REPLIES_SHOWN = 3  # above the results; the page 我的话术 lists all


@dataclass(frozen=True, slots=True)
class OwnReplyRow:
    """A private reply, as the list and the preview show it."""

    reply: Reply
    number: int = 1  # position in the list
    preview_template = "console/home/_own_reply_preview.html"

    @property
    def row_key(self) -> str:
        """Return the value of ?entry=, where other rows have the id of an entry."""
        return f"r{self.reply.pk}"

    @property
    def variants(self) -> Sequence[Reply]:
        return (self.reply,)


def list_own_replies(
    console_request: ConsoleRequest, entries: Collection[Entry], *, user: User
) -> list[OwnReplyRow]:
    """Return the private replies that match the words, at most MAX_OWN_REPLIES_SHOWN.

    Replies of the `entries` in the list are left out: they are among the variants
    there. A filter by category, tag or audience excludes all private replies.
    """
    filters = console_request.filters
    if console_request.page > 1 or filters.category or filters.tag or filters.audience:
        return []
    entry_ids = {entry.pk for entry in entries}
    matching_replies = [
        reply
        for reply in replies.search_private_replies(
            console_request.query,
            user=user,
            limit=MAX_OWN_REPLIES_SHOWN + len(entry_ids),
        )
        if reply.entry_id not in entry_ids
        and (not filters.channel or reply.channel in ("", filters.channel))
    ]
    return [
        OwnReplyRow(reply, number)
        for number, reply in enumerate(matching_replies[:MAX_OWN_REPLIES_SHOWN], 1)
    ]


def get_own_reply(console_request: ConsoleRequest, *, user: User) -> OwnReplyRow | None:
    """Return the row of the requested private reply, if it may be sent now."""
    if console_request.own_reply_id is None:
        return None
    usable_replies = replies.list_usable_replies(user)
    reply = usable_replies.filter(pk=console_request.own_reply_id).first()
    return OwnReplyRow(reply) if reply else None
