"""A reply of one's own becomes everybody's when an editor says so, or comes back."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kb import entries
from kb.models import Entry, Proposal, Reply, ReplyQuerySet, Right, User
from kb.text import normalize

State = Proposal.State
SHOWN = 20  # replies that an author finds shared
GONE = "这条提议已经有人处理了，或者被撤回了。"
CHANGED = "作者刚改过这条话术，请看过最新的内容再决定。"


def waiting() -> QuerySet[Proposal]:
    """Return what editors are to judge, the oldest first."""
    rows = Proposal.objects.filter(state=State.WAITING)
    return rows.select_related("by", "reply__entry", "reply__segment")


def shared_of(user: User) -> ReplyQuerySet:
    """Return what `user` wrote and editors made everybody's, the latest first."""
    taken = Reply.objects.readable_by(user).shared()
    own = taken.filter(author=user, proposals__state=State.ACCEPTED)
    return own.filter(entry__status=Entry.Status.PUBLISHED).order_by("-pk")[:SHOWN]


@transaction.atomic
def propose(reply: Reply, *, by: User) -> Proposal:
    """Ask the editors to share `reply`, which is of `by` alone."""
    if reply.owner_id != by.pk:
        raise PermissionDenied("这条话术不是您的。")
    Reply.objects.select_for_update().get(pk=reply.pk)
    found = reply.proposals.filter(state=State.WAITING).first()
    return found or reply.proposals.create(by=by)


@transaction.atomic
def withdraw(reply: Reply, *, by: User) -> bool:
    """Take it back; return whether it still waited."""
    mine = Proposal.objects.filter(reply=reply, reply__owner=by, state=State.WAITING)
    return bool(mine.delete()[0])


@transaction.atomic
def accept(
    proposal: Proposal, *, by: User, entry: Entry | None, seen: str | None = None
) -> Reply:
    """Make the reply everybody's, at `entry`, or at a new entry of its own.

    `seen` is when the reply was last changed, in ISO form, as the editor saw it. A new entry
    is published at once if `by` may: else its author could not send it any more.
    """
    proposal, reply = _waiting(proposal, by)
    if seen is not None and reply.updated_at.isoformat() != seen:
        raise ValidationError(CHANGED, code="conflict")
    if entry is None:
        entry = entries.draft(reply.title, by=proposal.by)
    reply.owner, reply.author = None, proposal.by
    reply.title = reply.keywords = ""
    entry = entries.add_reply(entry, reply, by=by, note="客服提议的话术")
    if entry.status == Entry.Status.DRAFT and by.has_perm("kb.publish_entry"):
        reply.entry = entries.publish(entry, by=by)
    _judge(proposal, State.ACCEPTED, by=by)
    return reply


@transaction.atomic
def send_back(proposal: Proposal, *, by: User, reason: str) -> Proposal:
    """Leave the reply to its author alone, and say why."""
    proposal, reply = _waiting(proposal, by)
    if reply.entry is not None:
        entries.require(Right.WRITE, reply.entry.category_id, by=by)
    proposal.reason = normalize.line(reason)[:200]
    if not proposal.reason:
        raise ValidationError("请写明退回的原因，作者会看到。")
    return _judge(proposal, State.RETURNED, by=by)


@transaction.atomic
def undo_send_back(proposal: Proposal, *, by: User) -> Proposal:
    """Let a proposal that `by` sent back wait again. Raises ValidationError."""
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有这个操作的权限。")
    mine = Proposal.objects.select_for_update().filter(
        pk=proposal.pk, state=State.RETURNED, judged_by=by
    )
    row = mine.first()
    if row is None:
        raise ValidationError(GONE, code="gone")
    if Proposal.objects.filter(reply=row.reply_id, state=State.WAITING).exists():
        raise ValidationError("作者已经重新提议了，不用撤销。", code="conflict")
    row.state, row.judged_by, row.judged_at = State.WAITING, None, None
    row.save()  # the reason stays, for the next try
    return row


def last_sent_back(user: User, *, since: datetime) -> Proposal | None:
    """Return the proposal that `user` sent back last, and not before `since`."""
    mine = Proposal.objects.filter(
        state=State.RETURNED, judged_by=user, judged_at__gt=since
    )
    return mine.select_related("reply").order_by("-judged_at", "-pk").first()


def _waiting(proposal: Proposal, by: User) -> tuple[Proposal, Reply]:
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有这个操作的权限。")
    rows = Proposal.objects.select_for_update()
    now = rows.filter(pk=proposal.pk, state=State.WAITING).first()
    if now is None:
        raise ValidationError(GONE, code="gone")
    return now, Reply.objects.select_for_update().get(pk=now.reply_id)


def _judge(proposal: Proposal, state: Proposal.State, *, by: User) -> Proposal:
    proposal.state, proposal.judged_by = state, by
    proposal.judged_at = timezone.now()
    proposal.save()
    return proposal
