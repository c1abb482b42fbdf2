"""Triage of questions: the only module that changes their status."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from kb.accounts import audit_log
from kb.models import AnswerVersion, AuditEvent, Entry, Question, User
from kb.questions import answers
from kb.text.chinese import normalize
from kb.text.privacy import personal_data

QuestionStatus = Question.Status
# Statuses in which a question may have an answer.
STATUSES_WITH_ANSWER = (
    QuestionStatus.ANSWERED,
    QuestionStatus.SETTLED,
    QuestionStatus.DECLINED,
)
TRIAGE_PERMISSION, ANSWER_PERMISSION = "kb.triage_question", "kb.answer_question"
RECALL_TOO_LATE_MESSAGE = "已经超过 10 秒，顾客看得到了，不能撤回；可以更正。"
REFUSAL_MESSAGES = {
    TRIAGE_PERMISSION: "您没有处理收件箱的权限。",
    ANSWER_PERMISSION: "您没有回答提问的权限。",
}


@transaction.atomic
def answer_question(
    question: Question,
    *,
    answer: str,
    by: User | None,
    recall_period: timedelta = timedelta(0),
) -> Question:
    """Answer an open question, which then waits for triage.

    `recall_answer` is possible for `recall_period`; then the customer can read it.
    Raises PermissionDenied, ValidationError.
    """
    question = lock_question(
        question, QuestionStatus.OPEN, by=by, permission=ANSWER_PERMISSION
    )
    question.answer = answer
    question.answered_by, question.answered_at = by, timezone.now()
    question = _set_question_status(question, QuestionStatus.ANSWERED, by=None)
    answers.add_answer_version(
        question, by=by, at=question.answered_at, recall_period=recall_period
    )
    _log_question_action(AuditEvent.Action.QUESTION_ANSWERED, question, by=by)
    return question


@transaction.atomic
def correct_answer(
    question: Question,
    *,
    answer: str,
    by: User | None,
    based_on: int,
    recall_period: timedelta = timedelta(0),
) -> Question:
    """Replace the answer of a question; the customer sees that it was corrected.

    `based_on` is the number of the version that `by` has seen; a newer one raises
    ValidationError, code "conflict".
    """
    question = lock_question(
        question, *STATUSES_WITH_ANSWER, by=by, permission=ANSWER_PERMISSION
    )
    if not question.answer:
        raise ValidationError("这个问题还没有回复，不能更正。", code="conflict")
    latest = answers.ensure_first_version(question)
    if latest.number != based_on:
        raise ValidationError(
            "这个回复刚刚有人改过，请看过现在的内容再更正。", code="conflict"
        )
    previous, question.answer = question.answer, answer
    question.full_clean()
    if not question.answer:
        raise ValidationError({"answer": "请写下更正后的回复。"})
    if question.answer == previous:
        raise ValidationError({"answer": "和现在的回复一样，没有要更正的。"})
    question.save(update_fields=["answer"])
    answers.add_answer_version(question, by=by, recall_period=recall_period)
    _log_question_action(AuditEvent.Action.ANSWER_CORRECTED, question, by=by)
    return question


@transaction.atomic
def recall_answer(question: Question, *, by: User) -> str:
    """Recall an answer that the customer cannot read yet; return its text.

    After a correction the version before it holds again; after a first answer the
    question is open again. Raises ValidationError, code "late" where it is too late.
    """
    question, version = lock_recallable_answer(question, by=by)
    is_first = answers.is_first_answer(question)
    if question.status == QuestionStatus.SETTLED and is_first:
        raise ValidationError(
            "同事已经把这个问题整理进条目了，不能撤回；可以更正。", code="conflict"
        )
    version.delete()
    _log_question_action(AuditEvent.Action.ANSWER_RECALLED, question, by=by)
    previous = answers.get_latest_version(question)
    if previous is not None and not is_first:
        question.answer = previous.text
        question.save(update_fields=["answer"])
        return version.text
    question.answer = question.reason = ""
    question.answered_by = question.answered_at = None
    _set_question_status(question, QuestionStatus.OPEN, by=None)
    return version.text


def lock_recallable_answer(
    question: Question, *, by: User
) -> tuple[Question, AnswerVersion]:
    """Return the locked question and the version that `by` may recall.

    To be called in a transaction. Raises PermissionDenied, ValidationError.
    """
    question = lock_question(
        question,
        QuestionStatus.OPEN,
        *STATUSES_WITH_ANSWER,
        by=by,
        permission=ANSWER_PERMISSION,
    )
    version = answers.get_latest_version(question)
    if (
        version is None
        or version.by_id != by.pk
        or question.status == QuestionStatus.OPEN
    ):
        raise ValidationError("这个回复不是您刚发出的，不能撤回。", code="conflict")
    if answers.get_recall_deadline(version) <= timezone.now():
        raise ValidationError(RECALL_TOO_LATE_MESSAGE, code="late")
    return question, version


@transaction.atomic
def settle_question(question: Question, *, entry: Entry, by: User | None) -> Question:
    """Assign an answered question to `entry`."""
    question = lock_question(question, QuestionStatus.ANSWERED, by=by)
    question.entry = entry
    return _set_question_status(question, QuestionStatus.SETTLED, by=by)


@transaction.atomic
def decline_question(question: Question, *, reason: str, by: User | None) -> Question:
    """Decline to add the question to the library; `reason` is stored.

    An open question is closed without an answer.
    """
    question = lock_question(
        question, QuestionStatus.ANSWERED, QuestionStatus.OPEN, by=by
    )
    if question.status == QuestionStatus.OPEN:
        _log_question_action(AuditEvent.Action.QUESTION_DECLINED, question, by=by)
    question.reason = reason.strip()
    return _set_question_status(question, QuestionStatus.DECLINED, by=by)


@transaction.atomic
def reopen_question(question: Question, *, by: User | None) -> Question:
    """Put a settled or declined question back into the inbox."""
    question = lock_question(
        question, QuestionStatus.SETTLED, QuestionStatus.DECLINED, by=by
    )
    question.entry, question.reason = None, ""
    status = QuestionStatus.ANSWERED if question.answer else QuestionStatus.OPEN
    if status == QuestionStatus.OPEN:
        _log_question_action(AuditEvent.Action.QUESTION_REOPENED, question, by=by)
    return _set_question_status(question, status, by=None)


@transaction.atomic
def record_admin_answer(
    question: Question, *, by: User | None, was_open: bool
) -> Question:
    """Record the author and the version of an answer that a form of the admin saved."""
    if was_open:
        question.answered_by, question.answered_at = by, timezone.now()
        question.save(update_fields=["answered_by", "answered_at"])
    at = question.answered_at if was_open else None
    answers.add_answer_version(question, by=by, at=at)
    _log_question_action(
        AuditEvent.Action.QUESTION_ANSWERED
        if was_open
        else AuditEvent.Action.ANSWER_CORRECTED,
        question,
        by=by,
    )
    return question


@transaction.atomic
def lock_question(
    question: Question,
    *expected: QuestionStatus,
    by: User | None,
    permission: str = TRIAGE_PERMISSION,
) -> Question:
    """Return the stored question, locked until the transaction ends.

    Raises ValidationError, code "conflict", where its status is not among `expected`,
    and PermissionDenied where `by` lacks the permission; None is the operator.
    """
    if by is not None and not by.has_perm(permission):
        raise PermissionDenied(REFUSAL_MESSAGES[permission])
    question = Question.objects.select_for_update().get(pk=question.pk)
    if question.status not in expected:
        state = QuestionStatus(question.status).label
        raise ValidationError(
            f"这个问题已经是「{state}」，可能有人先处理了。", code="conflict"
        )
    return question


@transaction.atomic
def _set_question_status(
    question: Question, status: QuestionStatus, *, by: User | None
) -> Question:
    question.status = status
    is_triaged = status in {QuestionStatus.SETTLED, QuestionStatus.DECLINED}
    question.settled_by = by if is_triaged else None
    question.settled_at = timezone.now() if is_triaged else None
    question.full_clean()
    question.save()
    return question


def _log_question_action(
    action: AuditEvent.Action, question: Question, *, by: User | None
) -> None:
    """Record an audit event, without personal data of the customer."""
    masked_text = personal_data.mask_personal_data(
        normalize.clean_single_line(question.text)
    )[:100]
    audit_log.record_event(action, f"问题「{masked_text}」#{question.pk}", by=by)
