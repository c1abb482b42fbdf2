"""An agent writes replies of his own, a lead those of the team, nobody another's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from kb import audit, wording
from kb.models import (
    Deed,
    Entry,
    Proposal,
    Reply,
    ReplyQuerySet,
    Segment,
    User,
)
from kb.text import markdown
from kb.text.wording import SPEECH
from kb.wording import Text

# Columns of a reply that come back with it when its deletion is undone.
RESTORED = (
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
MOST = 500  # replies of one person, and of one team: all are looked through


def mine(user: User) -> ReplyQuerySet:
    """Return the replies of `user` alone, the last changed first."""
    return _listed(Reply.objects.readable_by(user).filter(owner=user))


def of_team(user: User) -> ReplyQuerySet:
    """Return the replies of the team of `user`."""
    kept = Reply.objects.readable_by(user)
    return _listed(kept.filter(team__isnull=False, team=user.team_id))


def _listed(kept: ReplyQuerySet) -> ReplyQuerySet:
    related = ("entry", "segment", "team")
    return kept.select_related(*related).order_by("-updated_at", "-pk")


def may_write(reply: Reply, user: User) -> bool:
    if reply.owner_id:
        return reply.owner_id == user.pk
    return reply.team_id is not None and (
        reply.team_id == user.team_id and user.leads_team
    )


@transaction.atomic
def keep(reply: Reply, *, by: User) -> Reply:
    """Save `reply`, new or changed. Raises PermissionDenied, ValidationError."""
    _require(reply, by)
    if reply.pk is None:
        kept = mine(by) if reply.owner_id else of_team(by)
        if kept.count() >= MOST:
            raise ValidationError(f"最多存 {MOST} 条，请先删掉不用的。")
        reply.author = by
    reply.full_clean()
    if reply.team_id:
        _require_wording(reply)
    reply.save()
    if reply.team_id:  # its words are the team's alone, and no part of the log
        audit.note(Deed.Act.CHANGED, f"团队话术 #{reply.pk}", by=by)
    return reply


def _require_wording(reply: Reply) -> None:
    """Raise ValidationError where colleagues would send what must not be said."""
    now = Reply.objects.filter(pk=reply.pk).values_list("body", flat=True).first()
    if reply.body == now:
        return
    said = [Text(SPEECH, reply.body, "话术", "body")]
    if found := wording.findings(said, entry_id=reply.entry_id, strict=True):
        raise ValidationError({"body": [str(one) for one in found]})


@transaction.atomic
def drop(reply: Reply, *, by: User) -> dict[str, Any]:
    """Delete `reply`; return what `restore` takes to bring it back, ready for JSON."""
    _require(reply, by)
    if reply.team_id:
        audit.note(Deed.Act.DELETED, f"团队话术 #{reply.pk}", by=by)
    columns = {name: getattr(reply, name) for name in RESTORED}
    waits = reply.proposals.filter(state=Proposal.State.WAITING, by=by).exists()
    reply.delete()
    return {**columns, "was_proposed": waits}


@transaction.atomic
def restore(columns: Mapping[str, Any], *, by: User) -> Reply:
    """Bring a deleted reply back from what `drop` returned.

    What it hung on and is gone by now is left out. Raises PermissionDenied,
    ValidationError.
    """
    given = {name: columns.get(name) for name in RESTORED}
    for name, model in (("entry_id", Entry), ("segment_id", Segment)):
        if not model._default_manager.filter(pk=given[name] or 0).exists():
            given[name] = None
    reply = keep(Reply(**given), by=by)
    if columns.get("was_proposed") and reply.owner_id == by.pk:
        reply.proposals.create(by=by)
    return reply


@transaction.atomic
def copy_of(
    entry: Entry | None, *, by: User, reply: Reply | None = None
) -> tuple[Reply, bool]:
    """Return a personal copy of `reply`, or of the answer of `entry`; and if it is new.

    One that says the same is not made again. The caller has looked whether `by`
    may read what is copied.
    """
    body = reply.body if reply else markdown.plain(entry.answer_html) if entry else ""
    columns: dict[str, Any] = {"entry": entry, "owner": by, "body": body[:4000]}
    if same := mine(by).filter(**columns).first():
        return same, False
    title = (reply.title if reply else "") or (entry.question if entry else "")
    made = Reply(**columns, title=title[:60], label="我的")
    if reply:
        made.channel, made.tone = reply.channel, reply.tone
        made.segment_id = reply.segment_id
    return keep(made, by=by), True


def _require(reply: Reply, by: User) -> None:
    if not may_write(reply, by):
        raise PermissionDenied("这条话术不是您的。")
