"""Another way to ask: kept at once, or waiting where its finder may only propose."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction

from kb.library.entries import entry_rights
from kb.library.entries.change_reviews import (
    get_pending_change,
    merge_proposed_change,
    propose_change,
)
from kb.library.entries.entry_saving import (
    create_phrasing,
    lock_entry,
    save_new_version,
)
from kb.library.entries.snapshots import find_changed_parts, take_snapshot
from kb.library.entries.status_changes import close_review
from kb.models import (
    CategoryRight,
    Entry,
    Phrasing,
    Question,
    Review,
    RevisionAction,
    User,
    require_no_personal_data,
)
from kb.text.chinese import normalize
from kb.text.privacy import personal_data

MAX_PHRASING_CHARS = 200  # characters
PhrasingOutcome = Phrasing | Review | None


@transaction.atomic
def add_phrasing(entry: Entry, text: str, *, by: User | None) -> PhrasingOutcome:
    """Let `entry` be found by `text`, as far as `by` may; see `hear`."""
    entry = lock_entry(entry)
    heard = add_or_propose_phrasing(entry, text, by=by)
    if isinstance(heard, Phrasing):
        save_new_version(entry, by=by, act=RevisionAction.PHRASING_ADDED)
    return heard


def add_or_propose_phrasing(
    entry: Entry, text: str, *, by: User | None, question: Question | None = None
) -> PhrasingOutcome:
    """Return the phrasing that was kept, or the review in which it waits.

    None where the entry says so already. A phrasing of what is published moves
    what readers find, so it is published by who may publish. Raises ValidationError
    out of remit, and for personal data: everybody reads a phrasing. The caller holds
    the entry, and makes a version of what was kept.
    """
    entry_rights.require_permitted_category(
        CategoryRight.WRITE, entry.category_id, by=by
    )
    require_no_personal_data(normalize.clean_single_line(text)[:MAX_PHRASING_CHARS])
    if entry_rights.is_proposal_required(entry, by=by):
        return _propose_phrasing(
            entry, normalize.clean_single_line(text)[:MAX_PHRASING_CHARS], by=by
        )
    return create_phrasing(entry, text, question=question)


def withdraw_question_phrasings(
    entry: Entry, question: Question, *, by: User | None
) -> None:
    """Take back the phrasings that came of a question, kept or waiting."""
    kept = Phrasing.objects.filter(entry=entry, question=question)
    if kept.exists():
        entry_rights.require_direct_edit(entry, by=by)
        kept.delete()
    # What waits may be the question's own words, or what was offered in their place.
    for text in {question.text, suggest_phrasing(question.text)}:
        _withdraw_proposed_phrasing(
            entry, normalize.clean_single_line(text)[:MAX_PHRASING_CHARS], by=by
        )


def suggest_phrasing(text: str) -> str:
    """Return what a question offers as a phrasing: one line without personal data."""
    return personal_data.remove_personal_clauses(normalize.clean_single_line(text))[
        :MAX_PHRASING_CHARS
    ].strip()


def require_no_masked_data(text: str, name: str = "相似问法") -> None:
    """Raise ValidationError where `text` still holds what stands for personal data.

    For forms that offer masked words: nobody asks with stars in his question.
    """
    if personal_data.PERSONAL_DATA_MASK in text:
        raise ValidationError(
            f"{name}里还有 {personal_data.PERSONAL_DATA_MASK}，那里原来是个人信息。请改成通用的说法。",
            code="mask",
        )


def _propose_phrasing(entry: Entry, text: str, *, by: User | None) -> Review | None:
    """Let `text` wait, together with what waits already."""
    waiting, key = get_pending_change(entry), normalize.compute_spelling_key(text)
    now = take_snapshot(entry)
    if not key or key in _get_text_keys([now["question"], *now["phrasings"]]):
        return None
    said = merge_proposed_change(waiting) if waiting else now
    if key in _get_text_keys(said["phrasings"]):
        return waiting
    said = said | {"phrasings": [*said["phrasings"], text]}
    note = waiting.note if waiting else f"加相似问法「{text}」"
    return propose_change(entry, said, by=by, note=note, joining=waiting is not None)


def _withdraw_proposed_phrasing(entry: Entry, text: str, *, by: User | None) -> None:
    waiting = get_pending_change(entry)
    if waiting is None:
        return
    try:
        said = merge_proposed_change(waiting)
    except ValidationError:  # its author decides what becomes of it
        return
    now, key = take_snapshot(entry), normalize.compute_spelling_key(text)
    left = [
        one for one in said["phrasings"] if normalize.compute_spelling_key(one) != key
    ]
    if left == said["phrasings"] or key in _get_text_keys(now["phrasings"]):
        return
    said = said | {"phrasings": left}
    if find_changed_parts(now, said):
        propose_change(entry, said, by=by, joining=True)
    else:
        close_review(entry, Review.State.WITHDRAWN, by=by)


def _get_text_keys(texts: Iterable[str]) -> set[str]:
    return {normalize.compute_spelling_key(text) for text in texts}
