"""Turn questions into phrasings or drafts of entries, and undo it."""

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
    """Assign `question` to `entry` and add or propose its wording as a phrasing.

    `phrasing` is the text to add; None means the text of the question, "" no phrasing.
    Raises ValidationError where the text contains personal data. Returns what
    `add_or_propose_phrasing` returns.
    """
    entry = lock_entry(entry)
    question = triage.settle_question(question, entry=entry, by=by)
    text = question.text if phrasing is None else phrasing
    require_no_masked_data(text)
    outcome = (
        add_or_propose_phrasing(entry, text, by=by, question=question)
        if text.strip()
        else None
    )
    save_new_version(entry, by=by, act=RevisionAction.QUESTION_MERGED)
    return outcome


@transaction.atomic
def draft_entry_from_question(
    question: Question, /, *, by: User | None, **columns: Any
) -> Entry:
    """Create a draft from an answered question, its answer as answer and as reply.

    Personal data is masked. `columns` override the defaults. Raises ValidationError.
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
    """Put a triaged question back into the inbox, and undo what came of it.

    Its phrasing is removed, which needs the right to edit the entry directly. A draft
    that was created from it is deleted if it was not edited since and has no other
    question. Raises PermissionDenied, ValidationError.
    """
    entry = question.entry
    question = triage.reopen_question(question, by=by)
    if entry is None:
        return question
    entry = lock_entry(entry)
    withdraw_question_phrasings(entry, question, by=by)
    is_unedited = entry.version == 1 and entry.status == Entry.Status.DRAFT
    if is_unedited and not entry.questions.exists():
        entry.delete()
    else:
        save_new_version(
            entry, by=by, act=RevisionAction.QUESTION_MERGED, note="撤销并入"
        )
    return question
