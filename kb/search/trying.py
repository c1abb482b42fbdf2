"""How a sentence is cut, what acts on it, and what it finds: now, and after a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb import vocabulary
from kb.models import Entry, Reader
from kb.search import search, tidy
from kb.text import segment
from kb.text.lexicon import Lexicon
from kb.text.telling import HALF, LIGHT, wanted

MOST = 5  # entries


@dataclass(frozen=True, slots=True)
class Cut:
    """A word of the sentence: `weight` is full, light (it only asks) or silent."""

    word: str
    weight: str


@dataclass(frozen=True, slots=True)
class Report:
    """`sets` are (what stands in the text, what means the same)."""

    words: Sequence[Cut]
    sets: Sequence[tuple[str, Sequence[str]]]
    entries: Sequence[Entry]
    sure: bool


def report(text: str, *, user: Reader, lexicon: Lexicon | None = None) -> Report:
    """Return how `text` is searched for, by `lexicon` or what is in force."""
    text = tidy(text)
    live = vocabulary.in_force()
    if lexicon is None:
        return _report(text, user, live, segment.words(text))
    with vocabulary.trying(lexicon):
        return _report(text, user, lexicon, segment.words_if(text, lexicon.words))


def _report(text: str, user: Reader, lexicon: Lexicon, words: Sequence[str]) -> Report:
    found = search(text, user=user, limit=MOST)
    weights = wanted(text, lexicon).words
    silent = wanted(" ".join(words), lexicon).words
    cut = [Cut(one, _named(weights.get(one, silent.get(one, 1.0)))) for one in words]
    hits = found.hits or found.near
    return Report(
        words=list(dict.fromkeys(cut)),
        sets=[(said, list(others)) for said, others in lexicon.synonyms.of(text)],
        entries=[hit.entry for hit in hits[:MOST]],
        sure=bool(found.hits),
    )


def _named(weight: float) -> str:
    if weight > HALF:
        return "full"
    return "light" if weight >= LIGHT else "silent"
