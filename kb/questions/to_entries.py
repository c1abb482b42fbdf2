"""Where questions become entries, and how that is undone."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from kb.library.entries.entry_saving import create_draft, lock_entry, save_new_version
from kb.library.entries.phrasings import (
    PhrasingOutcome,
    add_or_propose_phrasing,
    require_no_masked_data,
    suggest_phrasing,
    withdraw_question_phrasings,
)
from kb.models import Entry, Question, Reply, RevisionAction, User
from kb.questions import triage
from kb.text.privacy import personal_data


@transaction.atomic
def add_question_to_entry(
    entry: Entry, *, question: Question, by: User | None, phrasing: str | None = None
) -> PhrasingOutcome:
    """Count `question` to `entry`, and let its wording be a phrasing: see `hear`.

    `phrasing` is the wording to keep; None keeps the question's own, "" none.
    Raises ValidationError where the wording tells who the customer is.
    """
    entry = lock_entry(entry)
    question = triage.settle_question(question, entry=entry, by=by)
    text = question.text if phrasing is None else phrasing
    require_no_masked_data(text)
    heard = (
        add_or_propose_phrasing(entry, text, by=by, question=question)
        if text.strip()
        else None
    )
    save_new_version(entry, by=by, act=RevisionAction.QUESTION_MERGED)
    return heard


@transaction.atomic
def draft_entry_from_question(
    question: Question, /, *, by: User | None, **columns: Any
) -> Entry:
    """Make a draft of an answered question: its answer becomes both faces.

    What tells who the customer is does not come along.
    """
    question = triage.lock_question(question, Question.Status.ANSWERED, by=by)
    answer = personal_data.mask_personal_data(question.answer)
    columns.setdefault("question", suggest_phrasing(question.text))
    columns.setdefault("answer", answer)
    columns.setdefault("module", question.module)
    columns.setdefault("replies", [Reply(body=answer[:4000])])
    entry = create_draft(by=by, **columns)
    triage.settle_question(question, entry=entry, by=by)
    return entry


@transaction.atomic
def release_question(question: Question, *, by: User | None) -> Question:
    """Undo `absorb`, `draft_from` or a decline: back to the inbox.

    The phrasing that came with it goes, where `by` may take it from readers; so
    does a draft that nobody has touched since it was made from this question.
    """
    entry = question.entry
    question = triage.reopen_question(question, by=by)
    if entry is None:
        return question
    entry = lock_entry(entry)
    withdraw_question_phrasings(entry, question, by=by)
    untouched = entry.version == 1 and entry.status == Entry.Status.DRAFT
    if untouched and not entry.questions.exists():
        entry.delete()
    else:
        save_new_version(
            entry, by=by, act=RevisionAction.QUESTION_MERGED, note="撤销并入"
        )
    return question
