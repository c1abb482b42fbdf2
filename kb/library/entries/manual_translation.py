"""The translation of an entry by hand: written under the same rules as its answer."""

from __future__ import annotations

from django.db import transaction

from kb.language import style_rules
from kb.library.entries import entry_rights
from kb.library.entries.change_reviews import (
    get_pending_change,
    merge_proposed_change,
    propose_change,
)
from kb.library.entries.entry_saving import lock_entry, save_new_version
from kb.library.entries.snapshots import find_changed_parts, take_snapshot
from kb.models import CategoryRight, Entry, Review, RevisionAction, User
from kb.publishing import translations


@transaction.atomic
def translate_entry(
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
    entry = lock_entry(entry, based_on=based_on)
    entry_rights.require_category_right(CategoryRight.WRITE, entry.category_id, by=by)
    words = {"hant_question": question, "hant_answer": answer}
    if entry_rights.is_proposal_required(entry, by=by):
        return _propose_translation(entry, words, by=by, note=note)
    before = take_snapshot(entry)
    translations.save_manual_translation(entry, question, answer)
    after = take_snapshot(entry)
    if not find_changed_parts(before, after):
        return entry
    if entry.status == Entry.Status.PUBLISHED:
        new = {name: after[name] for name in words if after[name] != before[name]}
        said = style_rules.list_translation_texts(
            new.get("hant_question", ""), new.get("hant_answer", "")
        )
        style_rules.require_publishable_style(entry, said)
    return save_new_version(entry, by=by, act=RevisionAction.TRANSLATED, note=note)


def get_proposed_translation(entry: Entry) -> tuple[str, str]:
    """Return the translation that waits for review, or else the one in use."""
    waiting = get_pending_change(entry)
    said = (waiting.content if waiting else None) or take_snapshot(entry)
    return said.get("hant_question") or "", said.get("hant_answer") or ""


def _propose_translation(
    entry: Entry, words: dict[str, str], *, by: User | None, note: str
) -> Entry | Review:
    """Let the translation wait, together with what waits already."""
    waiting = get_pending_change(entry)
    said = merge_proposed_change(waiting) if waiting else take_snapshot(entry)
    if not find_changed_parts(said, said | words):
        return waiting or entry
    kept = waiting.note if waiting else note or "改繁體版本"
    return propose_change(
        entry, said | words, by=by, note=kept, joining=waiting is not None
    )
