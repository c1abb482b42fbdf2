"""Where questions become entries, and how that is undone."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from kb import triage
from kb.entries.phrasings import (
    Heard,
    forget,
    hear,
    offered_phrasing,
    require_no_mask,
)
from kb.entries.writing import draft, locked, touch
from kb.models import Act, Entry, Question, Reply, User
from kb.text import personal


@transaction.atomic
def absorb(
    entry: Entry, *, question: Question, by: User | None, phrasing: str | None = None
) -> Heard:
    """Count `question` to `entry`, and let its wording be a phrasing: see `hear`.

    `phrasing` is the wording to keep; None keeps the question's own, "" none.
    Raises ValidationError where the wording tells who the customer is.
    """
    entry = locked(entry)
    question = triage.settle(question, entry=entry, by=by)
    text = question.text if phrasing is None else phrasing
    require_no_mask(text)
    heard = hear(entry, text, by=by, question=question) if text.strip() else None
    touch(entry, by=by, act=Act.MERGED)
    return heard


@transaction.atomic
def draft_from(question: Question, /, *, by: User | None, **columns: Any) -> Entry:
    """Make a draft of an answered question: its answer becomes both faces.

    What tells who the customer is does not come along.
    """
    question = triage.locked(question, Question.Status.ANSWERED, by=by)
    answer = personal.mask_personal_data(question.answer)
    columns.setdefault("question", offered_phrasing(question.text))
    columns.setdefault("answer", answer)
    columns.setdefault("module", question.module)
    columns.setdefault("replies", [Reply(body=answer[:4000])])
    entry = draft(by=by, **columns)
    triage.settle(question, entry=entry, by=by)
    return entry


@transaction.atomic
def release(question: Question, *, by: User | None) -> Question:
    """Undo `absorb`, `draft_from` or a decline: back to the inbox.

    The phrasing that came with it goes, where `by` may take it from readers; so
    does a draft that nobody has touched since it was made from this question.
    """
    entry = question.entry
    question = triage.reopen(question, by=by)
    if entry is None:
        return question
    entry = locked(entry)
    forget(entry, question, by=by)
    untouched = entry.version == 1 and entry.status == Entry.Status.DRAFT
    if untouched and not entry.questions.exists():
        entry.delete()
    else:
        touch(entry, by=by, act=Act.MERGED, note="撤销并入")
    return question
