"""Decide what becomes of a question: the only module that moves its status."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from kb.models import Entry, Question, User

Status = Question.Status
SORT, ANSWER = "kb.triage_question", "kb.answer_question"
REFUSED = {SORT: "您没有处理收件箱的权限。", ANSWER: "您没有回答提问的权限。"}


@transaction.atomic
def answer(question: Question, *, answer: str, by: User | None) -> Question:
    """Give an open question its answer; it then waits to be sorted."""
    question = locked(question, Status.OPEN, by=by, may=ANSWER)
    question.answer = answer
    return _move(question, Status.ANSWERED, by=None)


@transaction.atomic
def settle(question: Question, *, entry: Entry, by: User | None) -> Question:
    """Count the question to `entry`, which answers it from now on."""
    question = locked(question, Status.ANSWERED, by=by)
    question.entry = entry
    return _move(question, Status.SETTLED, by=by)


@transaction.atomic
def decline(question: Question, *, reason: str, by: User | None) -> Question:
    """Keep the question out of the library, for a reason that is written down.

    An open one gets no answer, then.
    """
    question = locked(question, Status.ANSWERED, Status.OPEN, by=by)
    question.reason = reason.strip()
    return _move(question, Status.DECLINED, by=by)


@transaction.atomic
def reopen(question: Question, *, by: User | None) -> Question:
    """Put a sorted question back into the inbox."""
    question = locked(question, Status.SETTLED, Status.DECLINED, by=by)
    question.entry, question.reason = None, ""
    back = Status.ANSWERED if question.answer else Status.OPEN
    return _move(question, back, by=None)


@transaction.atomic
def locked(
    question: Question, *expected: Status, by: User | None, may: str = SORT
) -> Question:
    """Return the row as it is now, ours until the transaction ends.

    Raises ValidationError when somebody has moved it meanwhile, and
    PermissionDenied when `by` may not do it; None is the operator.
    """
    if by is not None and not by.has_perm(may):
        raise PermissionDenied(REFUSED[may])
    question = Question.objects.select_for_update().get(pk=question.pk)
    if question.status not in expected:
        state = Status(question.status).label
        raise ValidationError(
            f"这个问题已经是「{state}」，可能有人先处理了。", code="conflict"
        )
    return question


@transaction.atomic
def _move(question: Question, status: Status, *, by: User | None) -> Question:
    question.status = status
    sorted_now = status in {Status.SETTLED, Status.DECLINED}
    question.settled_by = by if sorted_now else None
    question.settled_at = timezone.now() if sorted_now else None
    question.full_clean()
    question.save()
    return question
