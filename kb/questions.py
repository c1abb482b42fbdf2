"""Take in what customers asked: the only module that creates questions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from kb.models import Question


def ask(text: str, *, answer: str = "", **facts: Any) -> Question:
    """Record one question; with an answer it waits to be sorted.

    `facts` are other columns of Question: channel, segment, module, asked_at,
    source, external_id. Raises ValidationError.
    """
    question = Question(text=text, answer=answer, **facts)
    question.status = answered_or_open(question)
    if answer and question.recorded_by is not None:  # they wrote it at the same time
        question.answered_by = question.recorded_by
        question.answered_at = timezone.now()
    question.full_clean()
    question.save()
    return question


def answered_or_open(question: Question) -> Question.Status:
    return Question.Status.ANSWERED if question.answer else Question.Status.OPEN


def store(new: Iterable[Question], changed: Iterable[Question]) -> None:
    """Write clean questions in bulk, for an import that has checked them all."""
    Question.objects.bulk_create(new, batch_size=500)
    Question.objects.bulk_create(  # an upsert: bulk_update spells out every row twice
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
