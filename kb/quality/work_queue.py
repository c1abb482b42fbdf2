"""How much of each kind of work waits for one person, told by one query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import IntegerField, QuerySet, Subquery

from kb import usage
from kb.library import entries, replies
from kb.models import (
    Entry,
    Inquiry,
    Question,
    RelevanceTest,
    ReplyFeedback,
    SearchGap,
    User,
    Validity,
)

WorkQuerysets = Iterator[tuple[str, "QuerySet[Any, Any]"]]


class RowCount(Subquery):
    """How many rows a queryset has, as one value of another query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        plain = rows.order_by() if rows.query.group_by else rows.order_by().values("pk")
        super().__init__(plain, output_field=IntegerField())


def count_waiting_work(user: User) -> dict[str, int]:
    """Return {kind: how many} of the kinds that `user` has permission for."""
    kinds = list(_list_work_querysets(user))
    if not kinds:
        return {}
    numbers = {f"{kind}_": RowCount(rows) for kind, rows in kinds}  # no column's name
    told: Any = User.objects.filter(pk=user.pk).values(**numbers).get()
    return {kind: told[f"{kind}_"] for kind, _ in kinds}


def _list_work_querysets(user: User) -> WorkQuerysets:
    if user.has_perm("kb.answer_question"):
        yield "asked", Question.objects.unanswered()
        yield "recorded", Question.objects.unanswered_records()
        yield "ratings", Inquiry.objects.with_unhandled_low_score()
    if user.has_perm("kb.triage_question"):
        yield "inbox", Question.objects.awaiting_triage()
    if user.has_perm("kb.publish_entry"):
        yield (
            "reviews",
            entries.list_reviews_awaiting(user).exclude(by=user).exclude(also=user),
        )
    if user.has_perm("kb.change_entry"):
        yield from _list_editor_querysets(user)


def _list_editor_querysets(user: User) -> WorkQuerysets:
    seen = Entry.objects.visible_to(user)
    yield "due", entries.list_due_entries_for(user).visible_to(user)
    yield "phrasings", usage.query_phrasing_proposals()
    yield "proposals", replies.list_waiting_reply_proposals()
    yield "unhelpful", usage.query_entries_with_complaints()
    yield "remarks", ReplyFeedback.objects.unresolved()
    yield "gaps", SearchGap.objects.needing_attention()
    yield "golden", RelevanceTest.objects.failing()
    yield "drafts", seen.filter(status=Entry.Status.DRAFT, created_by=user)
    live = seen.filter(status=Entry.Status.PUBLISHED)
    yield "soon", live.with_validity(Validity.EXPIRING_SOON)
