"""Find replies that changed since an agent copied them, so that the agent notices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from kb.models import CopyEvent, Reply, ReplyRevision, User
from kb.text.markup import text_diff


@dataclass(frozen=True, slots=True)
class ReplyChange:
    """A change of a reply since the agent last copied it, with the differences."""

    copied_at: datetime
    changed_at: datetime
    parts: Sequence[text_diff.DiffPart]


def find_changes_since_copied(
    replies: Iterable[Reply], *, user: User
) -> dict[int, ReplyChange]:
    """Return {reply id: change} of replies whose text changed since `user` copied them."""
    by_id = {reply.pk: reply for reply in replies if reply.pk}
    copies = CopyEvent.objects.filter(by=user, reply__in=by_id).order_by()
    copied_at = dict(copies.values_list("reply").annotate(Max("at")))
    if not copied_at:
        return {}
    changes: dict[int, ReplyChange] = {}
    text_before, changed_at = dict[int, str](), dict[int, datetime]()
    rows = ReplyRevision.objects.filter(reply__in=copied_at).order_by(
        "replaced_at", "pk"
    )
    for row in rows:
        if row.replaced_at > copied_at[row.reply_id]:
            text_before.setdefault(row.reply_id, row.text)
            changed_at[row.reply_id] = row.replaced_at
    for pk, text in text_before.items():
        if text != by_id[pk].text:
            parts = text_diff.diff_excerpts(text, by_id[pk].text)
            changes[pk] = ReplyChange(copied_at[pk], changed_at[pk], parts)
    return changes
