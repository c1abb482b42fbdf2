"""Versions of answers, what the customer may read of them, and drafts of agents.

The only writer of AnswerVersion and AnswerDraft. `triage` decides whether a question may
be answered.
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

# Time in which an agent may recall an answer.
RECALL_PERIOD = timedelta(seconds=settings.KB_ANSWER_RECALL_SECONDS)
# Added before the customer can read an answer, so that a slow commit or the clock of
# another host cannot show an answer that was just recalled.
RECALL_MARGIN = timedelta(seconds=2)
PRESENCE_TIMEOUT = timedelta(seconds=45)  # since the last message of the page
ANSWER_DRAFT_RETENTION = timedelta(days=settings.KB_RETENTION_DAYS["drafts"] or 36_500)
LATEST_VERSION_FIRST = "-number"


@dataclass(frozen=True, slots=True)
class VisibleAnswer:
    """The answer as the customer may read it now; None for an unknown time."""

    text: str
    given_at: datetime | None
    corrected_at: datetime | None  # None for an answer without correction


# Versions ---------------------------------------------------------------------------


def add_answer_version(
    question: Question,
    *,
    by: User | None,
    at: datetime | None = None,
    recall_period: timedelta = timedelta(0),
) -> AnswerVersion:
    """Record the answer of `question` as its next version.

    With a `recall_period` the agent can recall it in that time, and the customer can
    read it RECALL_MARGIN after that.
    """
    now = at or timezone.now()
    visible_from = now + recall_period + RECALL_MARGIN if recall_period else now
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
    """Record versions of answers that a bulk write added or changed.

    Only questions with an inquiry have versions: no customer reads the others.
    """
    answered = [question for question in questions if question.answer]
    with_inquiry = Question.objects.filter(
        pk__in=[question.pk for question in answered], inquiry__isnull=False
    )
    ids = set(with_inquiry.values_list("pk", flat=True))
    for question in answered:
        if question.pk in ids:
            latest = get_latest_version(question)
            if latest is None or latest.text != question.answer:
                add_answer_version(question, by=by)


def ensure_first_version(question: Question) -> AnswerVersion:
    """Return the latest version; create number 1 for an answer without versions."""
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
    """Return whether the latest version is an answer and not a correction.

    The first answer after a question was reopened counts as well.
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
    """Return what the customer may read now; None while there is no readable answer."""
    if question.status == Question.Status.OPEN or not question.answer:
        return None
    version = get_visible_version(question)
    if version is None:
        if get_latest_version(question) is not None:
            return None  # it can still be recalled
        return VisibleAnswer(question.answer, question.answered_at, None)
    corrected_at = version.at if version.is_correction else None
    return VisibleAnswer(version.text, question.answered_at or version.at, corrected_at)


def get_recall_deadline(version: AnswerVersion) -> datetime:
    """Return the time until which the version can be recalled."""
    return version.visible_from - RECALL_MARGIN


def list_recallable_versions(user: User) -> QuerySet[AnswerVersion]:
    """Return the versions that `user` sent and can still recall, latest first."""
    rows = AnswerVersion.objects.filter(
        by=user, visible_from__gt=timezone.now() + RECALL_MARGIN
    )
    return rows.select_related("question__inquiry").order_by("-at", "-pk")


def list_answered_questions(user: User | None) -> QuerySet[Question]:
    """Return questions that `user` (None: anybody) answered or corrected, latest first."""
    rows = Question.objects.exclude(answer="").exclude(answered_at=None)
    if user is not None:
        versions = AnswerVersion.objects.filter(question=OuterRef("pk"), by=user)
        rows = rows.filter(Exists(versions))
    return rows.order_by(F("answered_at").desc(), "-pk")


# Drafts and presence ----------------------------------------------------------------


def save_draft_and_presence(
    question: Question, *, by: User, text: str | None
) -> AnswerDraft:
    """Record that `by` is answering `question` now, and save the draft.

    `text` None leaves the saved text as it is.
    """
    values: dict[str, object] = {"present_until": timezone.now() + PRESENCE_TIMEOUT}
    if text is not None:
        values |= {"text": _clean_draft_text(text), "discarded": False}
    draft, _ = AnswerDraft.objects.update_or_create(
        question=question, by=by, defaults=values
    )
    return draft


def save_draft_text(question: Question, *, by: User, text: str) -> AnswerDraft:
    """Save the draft of `by`, who has left the page."""
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
    """Return the draft that `by` has neither sent nor discarded; "" for none."""
    drafts = AnswerDraft.objects.filter(question=question, by=by, discarded=False)
    return drafts.values_list("text", flat=True).first() or ""


def discard_answer_draft(question: Question, *, by: User) -> bool:
    """Hide the draft until it is restored; return whether there was one."""
    drafts = AnswerDraft.objects.filter(question=question, by=by, discarded=False)
    return bool(drafts.exclude(text="").update(discarded=True, present_until=None))


def restore_answer_draft(question: Question, *, by: User) -> bool:
    """Restore a discarded draft; return whether there was one."""
    drafts = AnswerDraft.objects.filter(question=question, by=by, discarded=True)
    return bool(drafts.update(discarded=False))


def delete_answer_draft(question: Question, *, by: User) -> None:
    """Delete the draft after its answer was sent."""
    AnswerDraft.objects.filter(question=question, by=by).delete()


def clear_presence(question: Question, *, by: User) -> None:
    """Record that `by` is no longer answering `question`; the draft stays."""
    AnswerDraft.objects.filter(question=question, by=by).update(present_until=None)


def list_orphaned_drafts(user: User) -> QuerySet[AnswerDraft]:
    """Return drafts of `user` for questions that were answered or closed meanwhile."""
    rows = AnswerDraft.objects.filter(by=user, discarded=False).exclude(text="")
    rows = rows.exclude(question__status=Question.Status.OPEN)
    return rows.select_related("question")


def list_others_answering(
    questions: Collection[Question], *, user: User
) -> dict[int, list[str]]:
    """Return {question id: names of colleagues who are answering it now}."""
    present = AnswerDraft.objects.filter(
        question__in=questions, present_until__gt=timezone.now()
    ).exclude(by=user)
    names: dict[int, list[str]] = {}
    for draft in present.select_related("by").order_by("pk"):
        names.setdefault(draft.question_id, []).append(str(draft.by))
    return names


def delete_old_answer_drafts() -> int:
    """Delete drafts that did not change for ANSWER_DRAFT_RETENTION; return how many."""
    limit = timezone.now() - ANSWER_DRAFT_RETENTION
    return AnswerDraft.objects.filter(updated_at__lt=limit).delete()[0]


def _clean_draft_text(text: str) -> str:
    return normalize.clean_text(text).replace("\r\n", "\n")[:MAX_ANSWER_CHARS]
