"""Private replies: those of one agent, and those of a team, which its lead writes.

No user may write the own replies of another user.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from kb.accounts import audit_log
from kb.language import style_rules
from kb.language.style_rules import CheckedText
from kb.models import (
    AuditEvent,
    CustomerSegment,
    Entry,
    Reply,
    ReplyProposal,
    ReplyQuerySet,
    User,
)
from kb.text.markup import markdown
from kb.text.style_rules import TEXT_REPLY

# Columns that are restored when the deletion of a reply is undone.
RESTORED_REPLY_COLUMNS = (
    "owner_id",
    "team_id",
    "entry_id",
    "segment_id",
    "label",
    "title",
    "keywords",
    "body",
    "channel",
    "tone",
    "order",
)
# Per person and per team; a search of private replies reads all of them.
MAX_PRIVATE_REPLIES: int = settings.KB_MAX_PRIVATE_REPLIES


def list_own_replies(user: User) -> ReplyQuerySet:
    """Return the own replies of `user`, last changed first."""
    return _sort_for_list(Reply.objects.readable_by(user).filter(owner=user))


def list_team_replies(user: User) -> ReplyQuerySet:
    """Return the replies of the team of `user`, last changed first."""
    replies = Reply.objects.readable_by(user)
    return _sort_for_list(replies.filter(team__isnull=False, team=user.team_id))


def _sort_for_list(replies: ReplyQuerySet) -> ReplyQuerySet:
    related = ("entry", "segment", "team")
    return replies.select_related(*related).order_by("-updated_at", "-pk")


def can_write_reply(reply: Reply, user: User) -> bool:
    """Return whether `user` owns the private `reply` or leads its team."""
    if reply.owner_id:
        return reply.owner_id == user.pk
    return reply.team_id is not None and (
        reply.team_id == user.team_id and user.can_lead_team
    )


@transaction.atomic
def save_private_reply(reply: Reply, *, by: User) -> Reply:
    """Save `reply`, new or changed. Raises PermissionDenied, ValidationError."""
    _require_reply_writer(reply, by)
    if reply.pk is None:
        existing = list_own_replies(by) if reply.owner_id else list_team_replies(by)
        if existing.count() >= MAX_PRIVATE_REPLIES:
            raise ValidationError(f"最多存 {MAX_PRIVATE_REPLIES} 条，请先删掉不用的。")
        reply.author = by
    reply.full_clean()
    if reply.team_id:
        _require_team_reply_style(reply)
    reply.save()
    if reply.team_id:  # the log names no text: only the team may read it
        audit_log.record_event(
            AuditEvent.Action.CHANGED, f"团队话术 #{reply.pk}", by=by
        )
    return reply


def _require_team_reply_style(reply: Reply) -> None:
    """Raise ValidationError for "body" where a changed text breaks a style rule."""
    saved_body = (
        Reply.objects.filter(pk=reply.pk).values_list("body", flat=True).first()
    )
    if reply.body == saved_body:
        return
    texts = [CheckedText(TEXT_REPLY, reply.body, "话术", "body")]
    if findings := style_rules.check_texts(texts, entry_id=reply.entry_id, strict=True):
        raise ValidationError({"body": [str(finding) for finding in findings]})


@transaction.atomic
def delete_private_reply(reply: Reply, *, by: User) -> dict[str, Any]:
    """Delete `reply`; return the JSON-ready values that `restore_private_reply` takes.

    Raises PermissionDenied where `by` may not write it.
    """
    _require_reply_writer(reply, by)
    if reply.team_id:
        audit_log.record_event(
            AuditEvent.Action.DELETED, f"团队话术 #{reply.pk}", by=by
        )
    columns = {name: getattr(reply, name) for name in RESTORED_REPLY_COLUMNS}
    proposals = reply.proposals.filter(state=ReplyProposal.State.WAITING, by=by)
    was_proposed = proposals.exists()
    reply.delete()
    return {**columns, "was_proposed": was_proposed}


@transaction.atomic
def restore_private_reply(columns: Mapping[str, Any], *, by: User) -> Reply:
    """Create a deleted reply again from the values of `delete_private_reply`.

    Its entry and segment are left empty where they were deleted meanwhile. Raises
    PermissionDenied, ValidationError.
    """
    values = {name: columns.get(name) for name in RESTORED_REPLY_COLUMNS}
    for name, model in (("entry_id", Entry), ("segment_id", CustomerSegment)):
        if not model._default_manager.filter(pk=values[name] or 0).exists():
            values[name] = None
    reply = save_private_reply(Reply(**values), by=by)
    if columns.get("was_proposed") and reply.owner_id == by.pk:
        reply.proposals.create(by=by)
    return reply


@transaction.atomic
def copy_to_own_replies(
    entry: Entry | None, *, by: User, reply: Reply | None = None
) -> tuple[Reply, bool]:
    """Copy `reply`, or else the answer of `entry`, to the own replies of `by`.

    Returns (own reply, whether it is new): an equal one is not created twice. The
    caller has checked that `by` may read the source.
    """
    body = (
        reply.body
        if reply
        else markdown.extract_plain_text(entry.answer_html)
        if entry
        else ""
    )
    columns: dict[str, Any] = {"entry": entry, "owner": by, "body": body[:4000]}
    if existing := list_own_replies(by).filter(**columns).first():
        return existing, False
    title = (reply.title if reply else "") or (entry.question if entry else "")
    copy = Reply(**columns, title=title[:60], label="我的")
    if reply:
        copy.channel, copy.tone = reply.channel, reply.tone
        copy.segment_id = reply.segment_id
    return save_private_reply(copy, by=by), True


def _require_reply_writer(reply: Reply, by: User) -> None:
    if not can_write_reply(reply, by):
        raise PermissionDenied("这条话术不是您的。")
