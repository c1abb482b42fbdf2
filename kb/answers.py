"""Versions of answers, what the customer may read of them, and agents' drafts.

The stage `triage` decides whether a question may be answered; this module alone
writes AnswerVersion and AnswerDraft.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from kb.models import (
    MAX_ANSWER_CHARS,
    AnswerDraft,
    AnswerVersion,
    Question,
    User,
)
from kb.text import normalize

HOLD = timedelta(seconds=10)  # in which an agent may take back what was sent
# The customer reads it this much later still, so that a slow commit or the clock of
# another host shows nobody what has just been taken back.
HOLD_MARGIN = timedelta(seconds=2)
PRESENCE = timedelta(seconds=45)  # an agent who is silent for longer has left
RETENTION_DRAFTS = timedelta(days=30)
LATEST_FIRST = "-number"


@dataclass(frozen=True, slots=True)
class VisibleAnswer:
    """The answer as the customer may read it now; None where a time is not known."""

    text: str
    given_at: datetime | None
    corrected_at: datetime | None  # None where it was never corrected


# Versions ---------------------------------------------------------------------------


def add_version(
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
    visible_from = now + hold + HOLD_MARGIN if hold else now
    latest = latest_version(question)
    return AnswerVersion.objects.create(
        question=question,
        number=latest.number + 1 if latest else 1,
        text=question.answer,
        by=by,
        at=now,
        visible_from=visible_from,
        mail_after=visible_from,
    )


def add_missing_versions(questions: Iterable[Question], *, by: User | None) -> None:
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
            latest = latest_version(question)
            if latest is None or latest.text != question.answer:
                add_version(question, by=by)


def first_version(question: Question) -> AnswerVersion:
    """Return the latest version; make number 1 for an answer older than versions."""
    latest = latest_version(question)
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


def latest_version(question: Question) -> AnswerVersion | None:
    versions = AnswerVersion.objects.filter(question=question)
    return versions.order_by(LATEST_FIRST).first()


def is_first_answer(question: Question) -> bool:
    """Tell whether the latest version answered the question, and did not correct it.

    A question that was opened again is answered for the first time, too.
    """
    latest = latest_version(question)
    return latest is not None and latest.at == question.answered_at


def visible_version(question: Question) -> AnswerVersion | None:
    """Return the latest version that the customer may read now."""
    versions = AnswerVersion.objects.filter(
        question=question, visible_from__lte=timezone.now()
    )
    return versions.order_by(LATEST_FIRST).first()


def visible_answer(question: Question) -> VisibleAnswer | None:
    """Return what the customer may read now; None while nothing is sent for sure."""
    if question.status == Question.Status.OPEN or not question.answer:
        return None
    version = visible_version(question)
    if version is None:
        if latest_version(question) is not None:
            return None  # it may still be taken back
        return VisibleAnswer(question.answer, question.answered_at, None)
    corrected_at = version.at if version.is_correction else None
    return VisibleAnswer(version.text, question.answered_at or version.at, corrected_at)


def take_back_until(version: AnswerVersion) -> datetime:
    return version.visible_from - HOLD_MARGIN


def held_by(user: User) -> QuerySet[AnswerVersion]:
    """Return what `user` sent and may still take back, the latest first."""
    rows = AnswerVersion.objects.filter(
        by=user, visible_from__gt=timezone.now() + HOLD_MARGIN
    )
    return rows.select_related("question__inquiry").order_by("-at", "-pk")


def answered_by(user: User | None) -> QuerySet[Question]:
    """Return the questions that `user` answered or corrected, or anybody for None.

    The latest come first.
    """
    rows = Question.objects.exclude(answer="").exclude(answered_at=None)
    if user is not None:
        versions = AnswerVersion.objects.filter(question=OuterRef("pk"), by=user)
        rows = rows.filter(Exists(versions))
    return rows.order_by(F("answered_at").desc(), "-pk")


# Drafts and presence ----------------------------------------------------------------


def keep_draft(question: Question, *, by: User, text: str | None) -> AnswerDraft:
    """Note that `by` is answering `question`, and keep `text`; None keeps the old one."""
    values: dict[str, object] = {"present_until": timezone.now() + PRESENCE}
    if text is not None:
        values |= {"text": _clean(text), "discarded": False}
    draft, _ = AnswerDraft.objects.update_or_create(
        question=question, by=by, defaults=values
    )
    return draft


def store_text(question: Question, *, by: User, text: str) -> AnswerDraft:
    """Keep `text` without saying that `by` is present."""
    draft, _ = AnswerDraft.objects.update_or_create(
        question=question,
        by=by,
        defaults={"text": _clean(text), "discarded": False, "present_until": None},
    )
    return draft


def draft_text(question: Question, *, by: User) -> str:
    """Return what `by` typed for `question` and has neither sent nor discarded."""
    drafts = AnswerDraft.objects.filter(question=question, by=by, discarded=False)
    return drafts.values_list("text", flat=True).first() or ""


def discard_draft(question: Question, *, by: User) -> bool:
    """Hide the draft until it is restored; return whether there was one."""
    drafts = AnswerDraft.objects.filter(question=question, by=by, discarded=False)
    return bool(drafts.exclude(text="").update(discarded=True, present_until=None))


def restore_draft(question: Question, *, by: User) -> bool:
    drafts = AnswerDraft.objects.filter(question=question, by=by, discarded=True)
    return bool(drafts.update(discarded=False))


def drop_draft(question: Question, *, by: User) -> None:
    """Forget a draft that was sent."""
    AnswerDraft.objects.filter(question=question, by=by).delete()


def leave(question: Question, *, by: User) -> None:
    """Note that `by` is no longer answering `question`; the text stays."""
    AnswerDraft.objects.filter(question=question, by=by).update(present_until=None)


def orphaned_drafts(user: User) -> QuerySet[AnswerDraft]:
    """Return the drafts of `user` whose question was answered or closed meanwhile."""
    rows = AnswerDraft.objects.filter(by=user, discarded=False).exclude(text="")
    rows = rows.exclude(question__status=Question.Status.OPEN)
    return rows.select_related("question")


def others_answering(
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


def delete_old_drafts() -> int:
    """Delete drafts that nobody touched for RETENTION_DRAFTS; return how many."""
    limit = timezone.now() - RETENTION_DRAFTS
    return AnswerDraft.objects.filter(updated_at__lt=limit).delete()[0]


def _clean(text: str) -> str:
    return normalize.clean(text).replace("\r\n", "\n")[:MAX_ANSWER_CHARS]
