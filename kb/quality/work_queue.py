"""Count the work of each kind that waits for a user, in one query."""

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
    """The number of rows of a queryset, as a value in another query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        plain = rows.order_by() if rows.query.group_by else rows.order_by().values("pk")
        super().__init__(plain, output_field=IntegerField())


def count_waiting_work(user: User) -> dict[str, int]:
    """Return {kind: number of rows} for the kinds that `user` has permission for."""
    kinds = list(_list_work_querysets(user))
    if not kinds:
        return {}
    counts = {f"{kind}_": RowCount(rows) for kind, rows in kinds}  # unlike any column
    row: Any = User.objects.filter(pk=user.pk).values(**counts).get()
    return {kind: row[f"{kind}_"] for kind, _ in kinds}


def _list_work_querysets(user: User) -> WorkQuerysets:
    """Yield (kind, rows that wait); the kinds are keys in templates of the desk."""
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
    visible = Entry.objects.visible_to(user)
    yield "due", entries.list_due_entries_for(user).visible_to(user)
    yield "phrasings", usage.query_phrasing_proposals()
    yield "proposals", replies.list_waiting_reply_proposals()
    yield "unhelpful", usage.query_entries_with_complaints()
    yield "remarks", ReplyFeedback.objects.unresolved()
    yield "gaps", SearchGap.objects.needing_attention()
    yield "golden", RelevanceTest.objects.failing()
    yield "drafts", visible.filter(status=Entry.Status.DRAFT, created_by=user)
    published = visible.filter(status=Entry.Status.PUBLISHED)
    yield "soon", published.with_validity(Validity.EXPIRING_SOON)
