"""An agent writes replies of his own, a lead those of the team, nobody another's."""

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

# Columns of a reply that come back with it when its deletion is undone.
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
# Replies of one person, and of one team; a search looks through all of them.
MAX_PRIVATE_REPLIES: int = settings.KB_MAX_PRIVATE_REPLIES


def list_own_replies(user: User) -> ReplyQuerySet:
    """Return the replies of `user` alone, the last changed first."""
    return _sort_for_list(Reply.objects.readable_by(user).filter(owner=user))


def list_team_replies(user: User) -> ReplyQuerySet:
    """Return the replies of the team of `user`."""
    kept = Reply.objects.readable_by(user)
    return _sort_for_list(kept.filter(team__isnull=False, team=user.team_id))


def _sort_for_list(kept: ReplyQuerySet) -> ReplyQuerySet:
    related = ("entry", "segment", "team")
    return kept.select_related(*related).order_by("-updated_at", "-pk")


def can_write_reply(reply: Reply, user: User) -> bool:
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
        kept = list_own_replies(by) if reply.owner_id else list_team_replies(by)
        if kept.count() >= MAX_PRIVATE_REPLIES:
            raise ValidationError(f"最多存 {MAX_PRIVATE_REPLIES} 条，请先删掉不用的。")
        reply.author = by
    reply.full_clean()
    if reply.team_id:
        _require_team_reply_style(reply)
    reply.save()
    if reply.team_id:  # its words are the team's alone, and no part of the log
        audit_log.record_event(
            AuditEvent.Action.CHANGED, f"团队话术 #{reply.pk}", by=by
        )
    return reply


def _require_team_reply_style(reply: Reply) -> None:
    """Raise ValidationError where colleagues would send what must not be said."""
    now = Reply.objects.filter(pk=reply.pk).values_list("body", flat=True).first()
    if reply.body == now:
        return
    said = [CheckedText(TEXT_REPLY, reply.body, "话术", "body")]
    if found := style_rules.check_texts(said, entry_id=reply.entry_id, strict=True):
        raise ValidationError({"body": [str(one) for one in found]})


@transaction.atomic
def delete_private_reply(reply: Reply, *, by: User) -> dict[str, Any]:
    """Delete `reply`; return what `restore` takes to bring it back, ready for JSON."""
    _require_reply_writer(reply, by)
    if reply.team_id:
        audit_log.record_event(
            AuditEvent.Action.DELETED, f"团队话术 #{reply.pk}", by=by
        )
    columns = {name: getattr(reply, name) for name in RESTORED_REPLY_COLUMNS}
    waits = reply.proposals.filter(state=ReplyProposal.State.WAITING, by=by).exists()
    reply.delete()
    return {**columns, "was_proposed": waits}


@transaction.atomic
def restore_private_reply(columns: Mapping[str, Any], *, by: User) -> Reply:
    """Bring a deleted reply back from what `drop` returned.

    What it hung on and is gone by now is left out. Raises PermissionDenied,
    ValidationError.
    """
    given = {name: columns.get(name) for name in RESTORED_REPLY_COLUMNS}
    for name, model in (("entry_id", Entry), ("segment_id", CustomerSegment)):
        if not model._default_manager.filter(pk=given[name] or 0).exists():
            given[name] = None
    reply = save_private_reply(Reply(**given), by=by)
    if columns.get("was_proposed") and reply.owner_id == by.pk:
        reply.proposals.create(by=by)
    return reply


@transaction.atomic
def copy_to_own_replies(
    entry: Entry | None, *, by: User, reply: Reply | None = None
) -> tuple[Reply, bool]:
    """Return a personal copy of `reply`, or of the answer of `entry`; and if it is new.

    One that says the same is not made again. The caller has looked whether `by`
    may read what is copied.
    """
    body = (
        reply.body
        if reply
        else markdown.extract_plain_text(entry.answer_html)
        if entry
        else ""
    )
    columns: dict[str, Any] = {"entry": entry, "owner": by, "body": body[:4000]}
    if same := list_own_replies(by).filter(**columns).first():
        return same, False
    title = (reply.title if reply else "") or (entry.question if entry else "")
    made = Reply(**columns, title=title[:60], label="我的")
    if reply:
        made.channel, made.tone = reply.channel, reply.tone
        made.segment_id = reply.segment_id
    return save_private_reply(made, by=by), True


def _require_reply_writer(reply: Reply, by: User) -> None:
    if not can_write_reply(reply, by):
        raise PermissionDenied("这条话术不是您的。")
