"""Another way to ask: kept at once, or waiting where its finder may only propose."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction

from kb.entries import rights
from kb.entries.content import changed, content
from kb.entries.moving import close
from kb.entries.reviewing import pending, propose, standing
from kb.entries.writing import keep_phrasing, locked, touch
from kb.models import (
    Act,
    Entry,
    Phrasing,
    Question,
    Review,
    Right,
    User,
    require_no_personal_data,
)
from kb.text import normalize, personal

LONGEST = 200  # characters
Heard = Phrasing | Review | None


@transaction.atomic
def add_phrasing(entry: Entry, text: str, *, by: User | None) -> Heard:
    """Let `entry` be found by `text`, as far as `by` may; see `hear`."""
    entry = locked(entry)
    heard = hear(entry, text, by=by)
    if isinstance(heard, Phrasing):
        touch(entry, by=by, act=Act.PHRASED)
    return heard


def hear(
    entry: Entry, text: str, *, by: User | None, question: Question | None = None
) -> Heard:
    """Return the phrasing that was kept, or the review in which it waits.

    None where the entry says so already. A phrasing of what is published moves
    what readers find, so it is published by who may publish. Raises ValidationError
    out of remit, and for personal data: everybody reads a phrasing. The caller holds
    the entry, and makes a version of what was kept.
    """
    rights.require_remit(Right.WRITE, entry.category_id, by=by)
    require_no_personal_data(normalize.line(text)[:LONGEST])
    if rights.must_propose(entry, by=by):
        return _propose(entry, normalize.line(text)[:LONGEST], by=by)
    return keep_phrasing(entry, text, question=question)


def forget(entry: Entry, question: Question, *, by: User | None) -> None:
    """Take back the phrasings that came of a question, kept or waiting."""
    kept = Phrasing.objects.filter(entry=entry, question=question)
    if kept.exists():
        rights.require_own_hand(entry, by=by)
        kept.delete()
    # What waits may be the question's own words, or what was offered in their place.
    for text in {question.text, offered_phrasing(question.text)}:
        _unpropose(entry, normalize.line(text)[:LONGEST], by=by)


def offered_phrasing(text: str) -> str:
    """Return what a question offers as a phrasing: one line without personal data."""
    return personal.offer_as_phrasing(normalize.line(text))[:LONGEST].strip()


def require_no_mask(text: str, name: str = "相似问法") -> None:
    """Raise ValidationError where `text` still holds what stands for personal data.

    For forms that offer masked words: nobody asks with stars in his question.
    """
    if personal.MASK in text:
        raise ValidationError(
            f"{name}里还有 {personal.MASK}，那里原来是个人信息。请改成通用的说法。",
            code="mask",
        )


def _propose(entry: Entry, text: str, *, by: User | None) -> Review | None:
    """Let `text` wait, together with what waits already."""
    waiting, key = pending(entry), normalize.key(text)
    now = content(entry)
    if not key or key in _keys([now["question"], *now["phrasings"]]):
        return None
    said = standing(waiting) if waiting else now
    if key in _keys(said["phrasings"]):
        return waiting
    said = said | {"phrasings": [*said["phrasings"], text]}
    note = waiting.note if waiting else f"加相似问法「{text}」"
    return propose(entry, said, by=by, note=note, joining=waiting is not None)


def _unpropose(entry: Entry, text: str, *, by: User | None) -> None:
    waiting = pending(entry)
    if waiting is None:
        return
    try:
        said = standing(waiting)
    except ValidationError:  # its author decides what becomes of it
        return
    now, key = content(entry), normalize.key(text)
    left = [one for one in said["phrasings"] if normalize.key(one) != key]
    if left == said["phrasings"] or key in _keys(now["phrasings"]):
        return
    said = said | {"phrasings": left}
    if changed(now, said):
        propose(entry, said, by=by, joining=True)
    else:
        close(entry, Review.State.WITHDRAWN, by=by)


def _keys(texts: Iterable[str]) -> set[str]:
    return {normalize.key(text) for text in texts}
