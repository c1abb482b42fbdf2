"""Manual 繁體 translations of entries, under the same rules as the original text."""

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
    """Save the manual 繁體 texts of `entry`; empty ones return to automatic conversion.

    Returns the entry, in a new version if anything changed; or, where `by` may only
    propose changes, the review with the proposed translation. Raises PermissionDenied,
    ValidationError.
    """
    entry = lock_entry(entry, based_on=based_on)
    entry_rights.require_category_right(CategoryRight.WRITE, entry.category_id, by=by)
    texts = {"hant_question": question, "hant_answer": answer}
    if entry_rights.is_proposal_required(entry, by=by):
        return _propose_translation(entry, texts, by=by, note=note)
    before = take_snapshot(entry)
    translations.save_manual_translation(entry, question, answer)
    after = take_snapshot(entry)
    if not find_changed_parts(before, after):
        return entry
    if entry.status == Entry.Status.PUBLISHED:
        changed = {name: after[name] for name in texts if after[name] != before[name]}
        changed_texts = style_rules.list_translation_texts(
            changed.get("hant_question", ""), changed.get("hant_answer", "")
        )
        style_rules.require_publishable_style(entry, changed_texts)
    return save_new_version(entry, by=by, act=RevisionAction.TRANSLATED, note=note)


def get_proposed_translation(entry: Entry) -> tuple[str, str]:
    """Return (question, answer) in 繁體 that waits for review, or else is published."""
    pending = get_pending_change(entry)
    snapshot = (pending.content if pending else None) or take_snapshot(entry)
    return snapshot.get("hant_question") or "", snapshot.get("hant_answer") or ""


def _propose_translation(
    entry: Entry, texts: dict[str, str], *, by: User | None, note: str
) -> Entry | Review:
    """Propose the translation, together with a change that waits already."""
    pending = get_pending_change(entry)
    snapshot = merge_proposed_change(pending) if pending else take_snapshot(entry)
    if not find_changed_parts(snapshot, snapshot | texts):
        return pending or entry
    note_to_keep = pending.note if pending else note or "改繁體版本"
    return propose_change(
        entry,
        snapshot | texts,
        by=by,
        note=note_to_keep,
        as_coauthor=pending is not None,
    )
