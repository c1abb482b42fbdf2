"""The translation of an entry by hand: written under the same rules as its answer."""

from __future__ import annotations

from django.db import transaction

from kb import faces, wording
from kb.entries import rights
from kb.entries.content import changed, content
from kb.entries.reviewing import pending, propose, standing
from kb.entries.writing import locked, touch
from kb.models import Act, Entry, Review, Right, User


@transaction.atomic
def translate(
    entry: Entry,
    *,
    question: str,
    answer: str,
    by: User | None,
    based_on: int | None = None,
    note: str = "",
) -> Entry | Review:
    """Write the 繁體 of `entry`, empty texts give the conversion back.

    Return the entry, in a new version if anything changed; or, where `by` may not
    change what is published, the review in which the translation waits. Raises
    PermissionDenied, ValidationError.
    """
    entry = locked(entry, based_on=based_on)
    rights.require(Right.WRITE, entry.category_id, by=by)
    words = {"hant_question": question, "hant_answer": answer}
    if rights.must_propose(entry, by=by):
        return _propose(entry, words, by=by, note=note)
    before = content(entry)
    faces.put_own(entry, question, answer)
    after = content(entry)
    if not changed(before, after):
        return entry
    if entry.status == Entry.Status.PUBLISHED:
        new = {name: after[name] for name in words if after[name] != before[name]}
        said = wording.translation_texts(
            new.get("hant_question", ""), new.get("hant_answer", "")
        )
        wording.require(entry, said)
    return touch(entry, by=by, act=Act.TRANSLATED, note=note)


def proposed_translation(entry: Entry) -> tuple[str, str]:
    """Return the translation that waits for review, or else the one in use."""
    waiting = pending(entry)
    said = (waiting.content if waiting else None) or content(entry)
    return said.get("hant_question") or "", said.get("hant_answer") or ""


def _propose(
    entry: Entry, words: dict[str, str], *, by: User | None, note: str
) -> Entry | Review:
    """Let the translation wait, together with what waits already."""
    waiting = pending(entry)
    said = standing(waiting) if waiting else content(entry)
    if not changed(said, said | words):
        return waiting or entry
    kept = waiting.note if waiting else note or "改繁體版本"
    return propose(entry, said | words, by=by, note=kept, joining=waiting is not None)
