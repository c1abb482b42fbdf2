"""Where questions become entries, and how that is undone."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from kb import triage
from kb.entries.phrasings import Heard, forget, hear
from kb.entries.writing import draft, locked, touch
from kb.models import Act, Entry, Question, Reply, User
from kb.text import normalize


@transaction.atomic
def absorb(
    entry: Entry, *, question: Question, by: User | None, phrasing: str | None = None
) -> Heard:
    """Count `question` to `entry`, and let its wording be a phrasing: see `hear`.

    `phrasing` is the wording to keep; None keeps the question's own, "" none.
    """
    entry = locked(entry)
    question = triage.settle(question, entry=entry, by=by)
    text = question.text if phrasing is None else phrasing
    heard = hear(entry, text, by=by, question=question) if text.strip() else None
    touch(entry, by=by, act=Act.MERGED)
    return heard


@transaction.atomic
def draft_from(question: Question, /, *, by: User | None, **columns: Any) -> Entry:
    """Make a draft of an answered question: its answer becomes both faces."""
    question = triage.locked(question, Question.Status.ANSWERED, by=by)
    columns.setdefault("question", normalize.line(question.text)[:200])
    columns.setdefault("answer", question.answer)
    columns.setdefault("module", question.module)
    columns.setdefault("replies", [Reply(body=question.answer[:4000])])
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
