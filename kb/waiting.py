"""How much of each kind of work waits for one person, told by one query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import IntegerField, QuerySet, Subquery

from kb import entries, feedback, replies
from kb.models import (
    Entry,
    Gap,
    Golden,
    Inquiry,
    Question,
    ReplyFeedback,
    User,
    Validity,
)

Kinds = Iterator[tuple[str, "QuerySet[Any, Any]"]]


class Number(Subquery):
    """How many rows a queryset has, as one value of another query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        plain = rows.order_by() if rows.query.group_by else rows.order_by().values("pk")
        super().__init__(plain, output_field=IntegerField())


def counts(user: User) -> dict[str, int]:
    """Return {kind: how many} of the kinds that `user` has permission for."""
    kinds = list(_kinds(user))
    if not kinds:
        return {}
    numbers = {f"{kind}_": Number(rows) for kind, rows in kinds}  # no column's name
    told: Any = User.objects.filter(pk=user.pk).values(**numbers).get()
    return {kind: told[f"{kind}_"] for kind, _ in kinds}


def _kinds(user: User) -> Kinds:
    if user.has_perm("kb.answer_question"):
        yield "asked", Question.objects.unanswered()
        yield "recorded", Question.objects.unanswered_records()
        yield "ratings", Inquiry.objects.low_scores_waiting()
    if user.has_perm("kb.triage_question"):
        yield "inbox", Question.objects.waiting()
    if user.has_perm("kb.publish_entry"):
        yield "reviews", entries.awaited(user).exclude(by=user).exclude(also=user)
    if user.has_perm("kb.change_entry"):
        yield from _editing(user)


def _editing(user: User) -> Kinds:
    seen = Entry.objects.visible_to(user)
    yield "due", entries.due_for(user).visible_to(user)
    yield "phrasings", feedback.proposed()
    yield "proposals", replies.waiting()
    yield "unhelpful", feedback.complained()
    yield "remarks", ReplyFeedback.objects.waiting()
    yield "gaps", Gap.objects.waiting()
    yield "golden", Golden.objects.failing()
    yield "drafts", seen.filter(status=Entry.Status.DRAFT, created_by=user)
    live = seen.filter(status=Entry.Status.PUBLISHED)
    yield "soon", live.having(Validity.SOON)
