"""Intake of questions: the only module that creates them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils import timezone

from kb.models import Channel, Question, User
from kb.text.chinese import normalize
from kb.text.privacy import personal_data


def record_question(text: str, *, answer: str = "", **columns: Any) -> Question:
    """Create a question; one with an answer waits for triage.

    Personal data in its text is masked as KB_MASK_IN_QUESTIONS says. `columns` are
    further columns of Question: channel, segment, module, asked_at, source,
    external_id. Raises ValidationError.
    """
    question = Question(text=mask_question_text(text), answer=answer, **columns)
    question.status = get_initial_status(question)
    if answer and question.recorded_by is not None:  # recorded with its answer
        question.answered_by = question.recorded_by
        question.answered_at = timezone.now()
    question.full_clean()
    question.save()
    return question


def mask_question_text(text: str) -> str:
    """Return the text of a question as it may be stored: see KB_MASK_IN_QUESTIONS.

    All intakes call it: the pages for customers, the console, imports, the admin.
    """
    kinds = [
        kind
        for name in settings.KB_MASK_IN_QUESTIONS
        for kind in personal_data.PERSONAL_DATA_KINDS_BY_SETTING[name]
    ]
    return personal_data.mask_personal_data(normalize.clean_text(text), kinds)


def get_initial_status(question: Question) -> Question.Status:
    """Return the status of a new question: answered if it has an answer, else open."""
    return Question.Status.ANSWERED if question.answer else Question.Status.OPEN


def store_questions(new: Iterable[Question], changed: Iterable[Question]) -> None:
    """Write checked questions in bulk, for an import."""
    Question.objects.bulk_create(new, batch_size=500)
    # An upsert is used because the SQL of bulk_update contains all texts twice.
    Question.objects.bulk_create(
        changed,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[
            "text",
            "text_key",
            "answer",
            "channel",
            "segment",
            "module",
            "status",
            "answered_by",
            "answered_at",
            "asked_at",
            "source",
            "external_id",
        ],
    )


def get_last_channel(user: User) -> str:
    """Return the channel of the question that `user` recorded last, else OTHER."""
    questions = Question.objects.filter(recorded_by=user).order_by("-pk")
    last = questions.first()
    return last.channel if last else Channel.OTHER
