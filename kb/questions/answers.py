"""Versions of answers, what the customer may read of them, and agents' drafts.

The stage `triage` decides whether a question may be answered; this module alone
writes AnswerVersion and AnswerDraft.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from kb.models import (
    MAX_ANSWER_CHARS,
    AnswerDraft,
    AnswerVersion,
    Question,
    User,
)
from kb.text.chinese import normalize

# Time in which an agent may take back an answer that was sent.
RECALL_PERIOD = timedelta(seconds=settings.KB_ANSWER_RECALL_SECONDS)
# The customer reads it this much later still, so that a slow commit or the clock of
# another host shows nobody what has just been taken back.
RECALL_MARGIN = timedelta(seconds=2)
PRESENCE_TIMEOUT = timedelta(seconds=45)  # an agent who is silent for longer has left
ANSWER_DRAFT_RETENTION = timedelta(days=settings.KB_RETENTION_DAYS["drafts"] or 36_500)
LATEST_VERSION_FIRST = "-number"


@dataclass(frozen=True, slots=True)
class VisibleAnswer:
    """The answer as the customer may read it now; None where a time is not known."""

    text: str
    given_at: datetime | None
    corrected_at: datetime | None  # None where it was never corrected


# Versions ---------------------------------------------------------------------------


def add_answer_version(
    question: Question,
    *,
    by: User | None,
    at: datetime | None = None,
    hold: timedelta = timedelta(0),
) -> AnswerVersion:
    """Keep the answer of `question` as its next version.

    With `hold` it can be taken back for that time, and is read after HOLD_MARGIN more.
    """
    now = at or timezone.now()
    visible_from = now + hold + RECALL_MARGIN if hold else now
    latest = get_latest_version(question)
    return AnswerVersion.objects.create(
        question=question,
        number=latest.number + 1 if latest else 1,
        text=question.answer,
        by=by,
        at=now,
        visible_from=visible_from,
        mail_after=visible_from,
    )


def add_missing_answer_versions(
    questions: Iterable[Question], *, by: User | None
) -> None:
    """Keep what a bulk write has answered or changed, for questions of customers.

    Others have no reader whom a correction would concern.
    """
    answered = [question for question in questions if question.answer]
    asked = Question.objects.filter(
        pk__in=[question.pk for question in answered], inquiry__isnull=False
    )
    ids = set(asked.values_list("pk", flat=True))
    for question in answered:
        if question.pk in ids:
            latest = get_latest_version(question)
            if latest is None or latest.text != question.answer:
                add_answer_version(question, by=by)


def ensure_first_version(question: Question) -> AnswerVersion:
    """Return the latest version; make number 1 for an answer older than versions."""
    latest = get_latest_version(question)
    if latest is None:
        at = question.answered_at or question.asked_at
        latest = AnswerVersion.objects.create(
            question=question,
            number=1,
            text=question.answer,
            by=question.answered_by,
            at=at,
            visible_from=at,
            mail_after=at,
        )
    return latest


def get_latest_version(question: Question) -> AnswerVersion | None:
    versions = AnswerVersion.objects.filter(question=question)
    return versions.order_by(LATEST_VERSION_FIRST).first()


def is_first_answer(question: Question) -> bool:
    """Tell whether the latest version answered the question, and did not correct it.

    A question that was opened again is answered for the first time, too.
    """
    latest = get_latest_version(question)
    return latest is not None and latest.at == question.answered_at


def get_visible_version(question: Question) -> AnswerVersion | None:
    """Return the latest version that the customer may read now."""
    versions = AnswerVersion.objects.filter(
        question=question, visible_from__lte=timezone.now()
    )
    return versions.order_by(LATEST_VERSION_FIRST).first()


def get_visible_answer(question: Question) -> VisibleAnswer | None:
    """Return what the customer may read now; None while nothing is sent for sure."""
    if question.status == Question.Status.OPEN or not question.answer:
        return None
    version = get_visible_version(question)
    if version is None:
        if get_latest_version(question) is not None:
            return None  # it may still be taken back
        return VisibleAnswer(question.answer, question.answered_at, None)
    corrected_at = version.at if version.is_correction else None
    return VisibleAnswer(version.text, question.answered_at or version.at, corrected_at)


def get_recall_deadline(version: AnswerVersion) -> datetime:
    return version.visible_from - RECALL_MARGIN


def list_recallable_versions(user: User) -> QuerySet[AnswerVersion]:
    """Return what `user` sent and may still take back, the latest first."""
    rows = AnswerVersion.objects.filter(
        by=user, visible_from__gt=timezone.now() + RECALL_MARGIN
    )
    return rows.select_related("question__inquiry").order_by("-at", "-pk")


def list_answered_questions(user: User | None) -> QuerySet[Question]:
    """Return the questions that `user` answered or corrected, or anybody for None.

    The latest come first.
    """
    rows = Question.objects.exclude(answer="").exclude(answered_at=None)
    if user is not None:
        versions = AnswerVersion.objects.filter(question=OuterRef("pk"), by=user)
        rows = rows.filter(Exists(versions))
    return rows.order_by(F("answered_at").desc(), "-pk")


# Drafts and presence ----------------------------------------------------------------


def save_draft_and_presence(
    question: Question, *, by: User, text: str | None
) -> AnswerDraft:
    """Note that `by` is answering `question`, and keep `text`; None keeps the old one."""
    values: dict[str, object] = {"present_until": timezone.now() + PRESENCE_TIMEOUT}
    if text is not None:
        values |= {"text": _clean_draft_text(text), "discarded": False}
    draft, _ = AnswerDraft.objects.update_or_create(
        question=question, by=by, defaults=values
    )
    return draft


def save_draft_text(question: Question, *, by: User, text: str) -> AnswerDraft:
    """Keep `text` without saying that `by` is present."""
    draft, _ = AnswerDraft.objects.update_or_create(
        question=question,
        by=by,
        defaults={
            "text": _clean_draft_text(text),
            "discarded": False,
            "present_until": None,
        },
    )
    return draft


def get_draft_text(question: Question, *, by: User) -> str:
    """Return what `by` typed for `question` and has neither sent nor discarded."""
    drafts = AnswerDraft.objects.filter(question=question, by=by, discarded=False)
    return drafts.values_list("text", flat=True).first() or ""


def discard_answer_draft(question: Question, *, by: User) -> bool:
    """Hide the draft until it is restored; return whether there was one."""
    drafts = AnswerDraft.objects.filter(question=question, by=by, discarded=False)
    return bool(drafts.exclude(text="").update(discarded=True, present_until=None))


def restore_answer_draft(question: Question, *, by: User) -> bool:
    drafts = AnswerDraft.objects.filter(question=question, by=by, discarded=True)
    return bool(drafts.update(discarded=False))


def delete_answer_draft(question: Question, *, by: User) -> None:
    """Forget a draft that was sent."""
    AnswerDraft.objects.filter(question=question, by=by).delete()


def clear_presence(question: Question, *, by: User) -> None:
    """Note that `by` is no longer answering `question`; the text stays."""
    AnswerDraft.objects.filter(question=question, by=by).update(present_until=None)


def list_orphaned_drafts(user: User) -> QuerySet[AnswerDraft]:
    """Return the drafts of `user` whose question was answered or closed meanwhile."""
    rows = AnswerDraft.objects.filter(by=user, discarded=False).exclude(text="")
    rows = rows.exclude(question__status=Question.Status.OPEN)
    return rows.select_related("question")


def list_others_answering(
    questions: Collection[Question], *, user: User
) -> dict[int, list[str]]:
    """Return {question id: names of the colleagues who are answering it now}."""
    present = AnswerDraft.objects.filter(
        question__in=questions, present_until__gt=timezone.now()
    ).exclude(by=user)
    names: dict[int, list[str]] = {}
    for draft in present.select_related("by").order_by("pk"):
        names.setdefault(draft.question_id, []).append(str(draft.by))
    return names


def delete_old_answer_drafts() -> int:
    """Delete drafts that nobody touched for RETENTION_DRAFTS; return how many."""
    limit = timezone.now() - ANSWER_DRAFT_RETENTION
    return AnswerDraft.objects.filter(updated_at__lt=limit).delete()[0]


def _clean_draft_text(text: str) -> str:
    return normalize.clean_text(text).replace("\r\n", "\n")[:MAX_ANSWER_CHARS]
