"""Add similar phrasings to entries, or propose them where the user may not publish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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

MAX_PHRASING_CHARS = 200
# Added, waiting in a review, or None: the entry had an equal question or phrasing.
PhrasingOutcome = Phrasing | Review | None


@transaction.atomic
def add_phrasing(entry: Entry, text: str, *, by: User | None) -> PhrasingOutcome:
    """Add or propose the phrasing `text`; see `add_or_propose_phrasing`."""
    entry = lock_entry(entry)
    outcome = add_or_propose_phrasing(entry, text, by=by)
    if isinstance(outcome, Phrasing):
        save_new_version(entry, by=by, act=RevisionAction.PHRASING_ADDED)
    return outcome


def add_or_propose_phrasing(
    entry: Entry, text: str, *, by: User | None, question: Question | None = None
) -> PhrasingOutcome:
    """Return the new phrasing, the review that proposes it, or None for a known one.

    A phrasing of a published entry changes what readers find, so it needs the right
    to publish. Raises ValidationError for a category without permission, and for
    personal data, because phrasings are public. The caller has locked the entry, and
    saves a new version if a Phrasing is returned.
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
    """Remove the phrasings that were added or proposed from `question`."""
    phrasings = Phrasing.objects.filter(entry=entry, question=question)
    if phrasings.exists():
        entry_rights.require_direct_edit(entry, by=by)
        phrasings.delete()
    # The proposed text is that of the question, or the suggestion made from it.
    for text in {question.text, suggest_phrasing(question.text)}:
        _withdraw_proposed_phrasing(
            entry, normalize.clean_single_line(text)[:MAX_PHRASING_CHARS], by=by
        )


def suggest_phrasing(text: str) -> str:
    """Return a phrasing made of a question: one line without personal data."""
    return personal_data.remove_personal_clauses(normalize.clean_single_line(text))[
        :MAX_PHRASING_CHARS
    ].strip()


def require_no_masked_data(text: str, label: str = "相似问法") -> None:
    """Raise ValidationError, code "mask", where `text` contains a mask like ***.

    For forms that offer masked text: the user must replace the mask by a general term.
    """
    if personal_data.PERSONAL_DATA_MASK in text:
        raise ValidationError(
            f"{label}里还有 {personal_data.PERSONAL_DATA_MASK}，那里原来是个人信息。请改成通用的说法。",
            code="mask",
        )


def _propose_phrasing(entry: Entry, text: str, *, by: User | None) -> Review | None:
    """Propose `text`, together with a change that waits already."""
    pending, key = get_pending_change(entry), normalize.compute_spelling_key(text)
    current = take_snapshot(entry)
    if not key or key in _get_text_keys([current["question"], *current["phrasings"]]):
        return None
    snapshot = merge_proposed_change(pending) if pending else current
    if key in _get_text_keys(snapshot["phrasings"]):
        return pending
    snapshot = snapshot | {"phrasings": [*snapshot["phrasings"], text]}
    note = pending.note if pending else f"加相似问法「{text}」"
    return propose_change(
        entry, snapshot, by=by, note=note, as_coauthor=pending is not None
    )


def _withdraw_proposed_phrasing(entry: Entry, text: str, *, by: User | None) -> None:
    """Remove `text` from the pending change; a change without content is withdrawn."""
    pending = get_pending_change(entry)
    if pending is None:
        return
    try:
        proposed = merge_proposed_change(pending)
    except ValidationError:  # the author of the change has to resolve the conflict
        return
    current, key = take_snapshot(entry), normalize.compute_spelling_key(text)
    remaining = [
        phrasing
        for phrasing in proposed["phrasings"]
        if normalize.compute_spelling_key(phrasing) != key
    ]
    if remaining == proposed["phrasings"] or key in _get_text_keys(
        current["phrasings"]
    ):
        return
    proposed = proposed | {"phrasings": remaining}
    if find_changed_parts(current, proposed):
        propose_change(entry, proposed, by=by, as_coauthor=True)
    else:
        close_review(entry, Review.State.WITHDRAWN, by=by)


def _get_text_keys(texts: Iterable[str]) -> set[str]:
    return {normalize.compute_spelling_key(text) for text in texts}


@transaction.atomic
def replace_phrasings(entry: Entry, texts: Mapping[str, str]) -> None:
    """Make `texts`, {spelling key: text}, the phrasings of `entry`.

    Those that stay keep the question that they came from.
    """
    saved = {phrasing.text_key: phrasing for phrasing in entry.phrasings.all()}
    removed = [row.pk for key, row in saved.items() if key not in texts]
    entry.phrasings.filter(pk__in=removed).delete()
    for key, text in texts.items():
        phrasing = saved.get(key) or Phrasing(entry=entry)
        if key == entry.question_key or phrasing.text == text:
            continue
        phrasing.text = text
        phrasing.full_clean(exclude=["text_key"])
        phrasing.save()
