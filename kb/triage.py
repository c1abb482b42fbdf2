"""Decide what becomes of a question: the only module that moves its status."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from kb import answers, audit
from kb.models import AnswerVersion, Deed, Entry, Question, User
from kb.text import normalize, personal

Status = Question.Status
GIVEN = (Status.ANSWERED, Status.SETTLED, Status.DECLINED)  # may hold an answer
SORT, ANSWER = "kb.triage_question", "kb.answer_question"
TOO_LATE = "已经超过 10 秒，顾客看得到了，不能撤回；可以更正。"
REFUSED = {SORT: "您没有处理收件箱的权限。", ANSWER: "您没有回答提问的权限。"}


@transaction.atomic
def answer(
    question: Question,
    *,
    answer: str,
    by: User | None,
    hold: timedelta = timedelta(0),
) -> Question:
    """Give an open question its answer; it then waits to be sorted.

    `take_back` is possible for `hold`; the customer reads it afterwards.
    """
    question = locked(question, Status.OPEN, by=by, may=ANSWER)
    question.answer = answer
    question.answered_by, question.answered_at = by, timezone.now()
    question = _move(question, Status.ANSWERED, by=None)
    answers.add_version(question, by=by, at=question.answered_at, hold=hold)
    _note(Deed.Act.ANSWERED, question, by=by)
    return question


@transaction.atomic
def correct(
    question: Question,
    *,
    answer: str,
    by: User | None,
    based_on: int,
    hold: timedelta = timedelta(0),
) -> Question:
    """Replace the answer of a question; the customer reads that it was corrected.

    `based_on` is the number of the version that `by` has seen. Raises ValidationError,
    with the code "conflict" where there is a newer version.
    """
    question = locked(question, *GIVEN, by=by, may=ANSWER)
    if not question.answer:
        raise ValidationError("这个问题还没有回复，不能更正。", code="conflict")
    latest = answers.first_version(question)
    if latest.number != based_on:
        raise ValidationError(
            "这个回复刚刚有人改过，请看过现在的内容再更正。", code="conflict"
        )
    before, question.answer = question.answer, answer
    question.full_clean()
    if not question.answer:
        raise ValidationError({"answer": "请写下更正后的回复。"})
    if question.answer == before:
        raise ValidationError({"answer": "和现在的回复一样，没有要更正的。"})
    question.save(update_fields=["answer"])
    answers.add_version(question, by=by, hold=hold)
    _note(Deed.Act.CORRECTED, question, by=by)
    return question


@transaction.atomic
def take_back(question: Question, *, by: User) -> str:
    """Take back what `by` sent and the customer cannot read yet; return its text.

    A correction gives way to the version before it; a first answer leaves the
    question open again. Raises ValidationError where it is too late.
    """
    question, version = check_take_back(question, by=by)
    is_first = answers.is_first_answer(question)
    if question.status == Status.SETTLED and is_first:
        raise ValidationError(
            "同事已经把这个问题整理进条目了，不能撤回；可以更正。", code="conflict"
        )
    version.delete()
    _note(Deed.Act.RECALLED, question, by=by)
    previous = answers.latest_version(question)
    if previous is not None and not is_first:
        question.answer = previous.text
        question.save(update_fields=["answer"])
        return version.text
    question.answer = question.reason = ""
    question.answered_by = question.answered_at = None
    _move(question, Status.OPEN, by=None)
    return version.text


def check_take_back(question: Question, *, by: User) -> tuple[Question, AnswerVersion]:
    """Return the locked row and the version that `by` may take back.

    To be called in a transaction. Raises ValidationError.
    """
    question = locked(question, Status.OPEN, *GIVEN, by=by, may=ANSWER)
    version = answers.latest_version(question)
    if version is None or version.by_id != by.pk or question.status == Status.OPEN:
        raise ValidationError("这个回复不是您刚发出的，不能撤回。", code="conflict")
    if answers.take_back_until(version) <= timezone.now():
        raise ValidationError(TOO_LATE, code="late")
    return question, version


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
    if question.status == Status.OPEN:
        _note(Deed.Act.DECLINED, question, by=by)
    question.reason = reason.strip()
    return _move(question, Status.DECLINED, by=by)


@transaction.atomic
def reopen(question: Question, *, by: User | None) -> Question:
    """Put a sorted question back into the inbox."""
    question = locked(question, Status.SETTLED, Status.DECLINED, by=by)
    question.entry, question.reason = None, ""
    back = Status.ANSWERED if question.answer else Status.OPEN
    if back == Status.OPEN:
        _note(Deed.Act.REOPENED, question, by=by)
    return _move(question, back, by=None)


@transaction.atomic
def record_answer(question: Question, *, by: User | None, was_open: bool) -> Question:
    """Note who wrote the answer that a form of the admin has just saved."""
    if was_open:
        question.answered_by, question.answered_at = by, timezone.now()
        question.save(update_fields=["answered_by", "answered_at"])
    at = question.answered_at if was_open else None
    answers.add_version(question, by=by, at=at)
    _note(Deed.Act.ANSWERED if was_open else Deed.Act.CORRECTED, question, by=by)
    return question


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


def _note(act: Deed.Act, question: Question, *, by: User | None) -> None:
    """Put it into the audit log, without the customer's personal data."""
    words = personal.mask(normalize.line(question.text))[:100]
    audit.note(act, f"问题「{words}」#{question.pk}", by=by)
