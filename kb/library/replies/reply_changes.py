"""What an agent sent before says something else now: he must notice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from kb.models import CopyEvent, Reply, ReplyRevision, User
from kb.text.markup import text_diff


@dataclass(frozen=True, slots=True)
class ReplyChange:
    """`copied_at`: when this agent last sent it; `parts`: what became of its words."""

    copied_at: datetime
    changed_at: datetime
    parts: Sequence[text_diff.DiffPart]


def find_changes_since_copied(
    replies: Iterable[Reply], *, user: User
) -> dict[int, ReplyChange]:
    """Return what changed in `replies`, by id, since `user` last copied each."""
    by_id = {reply.pk: reply for reply in replies if reply.pk}
    copies = CopyEvent.objects.filter(by=user, reply__in=by_id).order_by()
    last = dict(copies.values_list("reply").annotate(Max("at")))
    if not last:
        return {}
    changes: dict[int, ReplyChange] = {}
    said, when = dict[int, str](), dict[int, datetime]()
    rows = ReplyRevision.objects.filter(reply__in=last).order_by("replaced_at", "pk")
    for row in rows:
        if row.replaced_at > last[row.reply_id]:
            said.setdefault(row.reply_id, row.text)
            when[row.reply_id] = row.replaced_at
    for pk, old in said.items():
        if old != by_id[pk].text:
            parts = text_diff.diff_excerpts(old, by_id[pk].text)
            changes[pk] = ReplyChange(last[pk], when[pk], parts)
    return changes
