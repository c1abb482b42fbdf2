"""Replies that a reader may see: one by its id, or those of an entry."""

from __future__ import annotations

from django.db.models import Prefetch

from kb.library.replies.private_replies import can_write_reply, list_own_replies
from kb.models import Entry, Reply, ReplyProposal, ReplyQuerySet, Snippet, User


def find_readable_reply(
    pk: int | None, *, entry: Entry | None, user: User
) -> Reply | None:
    """Return the reply `pk` of `entry` (of none: a reply without entry) or None."""
    replies = Reply.objects.readable_by(user).filter(entry=entry)
    return replies.filter(pk=pk or 0).first()


def find_private_reply(pk: int, *, user: User) -> Reply | None:
    """Return the reply `pk` if it is the user's own or their team's."""
    return Reply.objects.private_to(user).filter(pk=pk).first()


def find_writable_reply(pk: int, *, user: User) -> Reply | None:
    """Return the private reply `pk` with entry and team if `user` may change it."""
    replies = Reply.objects.private_to(user).select_related("entry", "team")
    reply = replies.filter(pk=pk).first()
    return reply if reply and can_write_reply(reply, user) else None


def find_shared_reply(pk: int, *, entry: Entry) -> Reply | None:
    """Return the shared reply `pk` of `entry`, which the caller may read."""
    return Reply.objects.shared().filter(entry=entry, pk=pk).first()


def list_shared_replies(entry: Entry) -> list[Reply]:
    """Return the replies of `entry` that editors wrote, in their order."""
    return list(Reply.objects.shared().filter(entry=entry))


def query_own_replies_with_proposals(user: User) -> ReplyQuerySet:
    """Return the user's own replies, each with its proposals, the latest first."""
    proposals = ReplyProposal.objects.order_by("-at", "-pk")
    return list_own_replies(user).prefetch_related(Prefetch("proposals", proposals))


def list_snippet_names(limit: int) -> list[str]:
    return list(Snippet.objects.values_list("name", flat=True)[:limit])
