"""Proposals of agents to share an own reply, which editors accept or return."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from kb.accounts import audit_log
from kb.library import entries
from kb.models import (
    AuditEvent,
    CategoryRight,
    Entry,
    Reply,
    ReplyProposal,
    ReplyQuerySet,
    User,
)
from kb.text.chinese import normalize

ReplyProposalState = ReplyProposal.State
MAX_ACCEPTED_SHOWN = 20  # latest accepted replies in the list of their author
REPLY_PROPOSAL_CLOSED_MESSAGE = "这条提议已经有人处理了，或者被撤回了。"
# Columns of a reply that acceptance changes and undoing it restores.
RESTORED_COLUMNS = ("owner_id", "author_id", "entry_id", "title", "keywords", "order")
USAGE_RELATIONS = ("questions", "copies", "votes", "picks")  # use of an entry
REPLY_CHANGED_MESSAGE = "作者刚改过这条话术，请看过最新的内容再决定。"


def list_waiting_reply_proposals() -> QuerySet[ReplyProposal]:
    """Return the proposals that wait for an editor, oldest first."""
    rows = ReplyProposal.objects.filter(state=ReplyProposalState.WAITING)
    return rows.select_related("by", "reply__entry", "reply__segment")


def list_accepted_replies(user: User) -> ReplyQuerySet:
    """Return published replies that `user` proposed and editors accepted, newest first."""
    shared = Reply.objects.readable_by(user).shared()
    accepted = shared.filter(author=user, proposals__state=ReplyProposalState.ACCEPTED)
    return accepted.filter(entry__status=Entry.Status.PUBLISHED).order_by("-pk")[
        :MAX_ACCEPTED_SHOWN
    ]


@transaction.atomic
def propose_reply(reply: Reply, *, by: User) -> ReplyProposal:
    """Propose the own `reply` of `by`; return the waiting proposal, new or not.

    Raises PermissionDenied for a reply of somebody else.
    """
    if reply.owner_id != by.pk:
        raise PermissionDenied("这条话术不是您的。")
    Reply.objects.select_for_update().get(pk=reply.pk)
    waiting = reply.proposals.filter(state=ReplyProposalState.WAITING).first()
    return waiting or reply.proposals.create(by=by)


@transaction.atomic
def withdraw_reply_proposal(reply: Reply, *, by: User) -> bool:
    """Delete the waiting proposal of `reply`; return whether there was one."""
    waiting = ReplyProposal.objects.filter(
        reply=reply, reply__owner=by, state=ReplyProposalState.WAITING
    )
    return bool(waiting.delete()[0])


@transaction.atomic
def accept_reply_proposal(
    proposal: ReplyProposal,
    *,
    by: User,
    entry: Entry | None,
    seen_updated_at: str | None = None,
) -> Reply:
    """Share the reply as the last one of `entry`, or of a new entry for None.

    `seen_updated_at` is the time of the last change of the reply that the editor saw,
    in ISO format; a later change raises ValidationError, code "conflict". A new entry
    is published at once where `by` may publish, because otherwise its author could no
    longer send the reply.
    """
    proposal, reply = _lock_waiting_proposal(proposal, by)
    if seen_updated_at is not None and reply.updated_at.isoformat() != seen_updated_at:
        raise ValidationError(REPLY_CHANGED_MESSAGE, code="conflict")
    is_new = entry is None
    if entry is None:
        entry = entries.create_draft(reply.title, by=proposal.by)
    before = _describe_state_before(reply, entry, is_new=is_new)
    reply.owner, reply.author = None, proposal.by
    reply.title = reply.keywords = ""
    entry = entries.add_shared_reply(entry, reply, by=by, note="客服提议的话术")
    if entry.status == Entry.Status.DRAFT and by.has_perm("kb.publish_entry"):
        entry = reply.entry = entries.publish_entry(entry, by=by)
    proposal.before = {**before, "version": entry.version, "body": reply.body}
    _save_verdict(proposal, ReplyProposalState.ACCEPTED, by=by)
    return reply


@transaction.atomic
def return_reply_proposal(
    proposal: ReplyProposal, *, by: User, reason: str
) -> ReplyProposal:
    """Return the proposal to its author with a reason. Raises ValidationError."""
    proposal, reply = _lock_waiting_proposal(proposal, by)
    if reply.entry is not None:
        entries.require_category_right(
            CategoryRight.WRITE, reply.entry.category_id, by=by
        )
    proposal.reason = normalize.clean_single_line(reason)[:200]
    if not proposal.reason:
        raise ValidationError("请写明退回的原因，作者会看到。")
    return _save_verdict(proposal, ReplyProposalState.RETURNED, by=by)


@transaction.atomic
def undo_proposal_return(proposal: ReplyProposal, *, by: User) -> ReplyProposal:
    """Put a proposal that `by` returned back into the queue; its reason stays.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有这个操作的权限。")
    returned = ReplyProposal.objects.select_for_update().filter(
        pk=proposal.pk, state=ReplyProposalState.RETURNED, judged_by=by
    )
    row = returned.first()
    if row is None:
        raise ValidationError(REPLY_PROPOSAL_CLOSED_MESSAGE, code="gone")
    if ReplyProposal.objects.filter(
        reply=row.reply_id, state=ReplyProposalState.WAITING
    ).exists():
        raise ValidationError("作者已经重新提议了，不用撤销。", code="conflict")
    row.state, row.judged_by, row.judged_at = ReplyProposalState.WAITING, None, None
    row.save()
    return row


@transaction.atomic
def undo_proposal_acceptance(proposal: ReplyProposal, *, by: User) -> ReplyProposal:
    """Make an accepted reply private again and put its proposal back into the queue.

    Only the user who accepted it may. The entry returns to its previous status; one
    that was created for the reply is deleted if unused, else retired. Raises
    PermissionDenied, and ValidationError where the entry or the reply was changed
    since, or the author's account is gone.
    """
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有这个操作的权限。")
    row = (
        ReplyProposal.objects.select_for_update()
        .filter(pk=proposal.pk, state=ReplyProposalState.ACCEPTED, judged_by=by)
        .exclude(before=None)
        .first()
    )
    if row is None:
        raise ValidationError(REPLY_PROPOSAL_CLOSED_MESSAGE, code="gone")
    before: dict[str, Any] = row.before or {}
    reply = Reply.objects.select_for_update().get(pk=row.reply_id)
    entry = _lock_unchanged_entry(reply, before)
    if not User.objects.filter(pk=before["owner_id"]).exists():
        message = "作者的账号已经不在了，不能撤销。请打开条目修改。"
        raise ValidationError(message, code="lost")
    for name in RESTORED_COLUMNS:
        setattr(reply, name, before[name])
    if not Entry.objects.filter(pk=reply.entry_id or 0).exists():
        reply.entry_id = None
    _restore_entry(entry, reply, before, by=by)
    audit_log.record_event(
        AuditEvent.Action.REVERTED, f"撤销收下话术：「{entry}」#{entry.pk}", by=by
    )
    row.state, row.judged_by, row.judged_at = ReplyProposalState.WAITING, None, None
    row.before = None
    row.save()
    return row


def _describe_state_before(
    reply: Reply, entry: Entry, *, is_new: bool
) -> dict[str, Any]:
    """Return the values that acceptance is about to change, ready for JSON."""
    published_at = entry.published_at
    return {
        **{name: getattr(reply, name) for name in RESTORED_COLUMNS},
        "is_new": is_new,
        "status": entry.status,
        "published_at": published_at.isoformat() if published_at else None,
    }


def _lock_unchanged_entry(reply: Reply, before: dict[str, Any]) -> Entry:
    """Lock and return the entry; ValidationError if it or the reply changed since."""
    entry = Entry.objects.select_for_update().filter(pk=reply.entry_id or 0).first()
    is_reply_unchanged = reply.is_shared and reply.body == before["body"]
    if entry is None or not is_reply_unchanged or entry.version != before["version"]:
        name = f"「{entry}」" if entry else "这条话术"
        message = f"收下以后{name}又有人改过或发布过，不能撤销。请打开条目修改。"
        raise ValidationError(message, code="conflict")
    return entry


def _restore_entry(
    entry: Entry, reply: Reply, before: dict[str, Any], *, by: User
) -> None:
    """Remove the reply from its entry and restore the previous status of the entry."""
    version, note = before["version"], "撤销收下客服提议的话术"
    entry = entries.remove_reply(entry, reply, by=by, based_on=version, note=note)
    if before["is_new"]:
        if any(getattr(entry, name).exists() for name in USAGE_RELATIONS):
            entries.retire_entry(entry, by=by, note=note)
        else:
            entry.delete()
    elif entry.status != before["status"]:
        entry = entries.restore_entry(
            entries.retire_entry(entry, by=by, note=note), by=by
        )
        moment = before["published_at"]
        published_at = datetime.fromisoformat(moment) if moment else None
        Entry.objects.filter(pk=entry.pk).update(published_at=published_at)


def find_last_judged_proposal(user: User, *, since: datetime) -> ReplyProposal | None:
    """Return the proposal that `user` judged last, after `since`, and may undo."""
    judged = ReplyProposal.objects.filter(judged_by=user, judged_at__gt=since)
    undoable = judged.filter(
        Q(state=ReplyProposalState.RETURNED) | Q(before__isnull=False)
    )
    rows = undoable.exclude(state=ReplyProposalState.WAITING).select_related("reply")
    return rows.order_by("-judged_at", "-pk").first()


def _lock_waiting_proposal(
    proposal: ReplyProposal, by: User
) -> tuple[ReplyProposal, Reply]:
    """Return the proposal and its reply, both locked.

    Raises PermissionDenied, and ValidationError where it no longer waits.
    """
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有这个操作的权限。")
    rows = ReplyProposal.objects.select_for_update()
    waiting = rows.filter(pk=proposal.pk, state=ReplyProposalState.WAITING).first()
    if waiting is None:
        raise ValidationError(REPLY_PROPOSAL_CLOSED_MESSAGE, code="gone")
    return waiting, Reply.objects.select_for_update().get(pk=waiting.reply_id)


def _save_verdict(
    proposal: ReplyProposal, state: ReplyProposal.State, *, by: User
) -> ReplyProposal:
    proposal.state, proposal.judged_by = state, by
    proposal.judged_at = timezone.now()
    proposal.save()
    return proposal


def find_waiting_reply_proposal(pk: int) -> ReplyProposal | None:
    return list_waiting_reply_proposals().filter(pk=pk).first()


def find_reply_proposal(pk: int) -> ReplyProposal | None:
    """Return the proposal in whatever state it is."""
    return ReplyProposal.objects.filter(pk=pk).select_related("reply").first()
