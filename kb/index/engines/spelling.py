"""Words in Latin letters that somebody may have meant who slipped on the keyboard."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

LATIN_WORD_PATTERN = re.compile("[a-z]+")
MIN_TYPO_WORD_LETTERS, MIN_TWO_TYPO_WORD_LETTERS = (
    5,
    8,
)  # letters from which one slip is forgiven, and two
MIN_TRANSPOSITION_WORD_LETTERS = (
    4  # letters of a word in which two may have changed places
)
MAX_SPELLING_SUGGESTIONS = 5  # words that are offered


def find_spellings(typed: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return those of `words` that `typed` may be a slip of, nearest first.

    A letter too many, too few, another one, or two that changed places: optimal
    string alignment (Damerau 1964, without substrings edited twice).
    """
    if len(typed) < MIN_TRANSPOSITION_WORD_LETTERS:
        return ()
    near = extract(
        typed,
        words,
        scorer=OSA.distance,
        score_cutoff=1 + (len(typed) >= MIN_TWO_TYPO_WORD_LETTERS),
        limit=None,
    )
    found = sorted((distance, word) for word, distance, _ in near if distance)
    alike = [word for _, word in found if _is_similar_enough(typed, word)]
    return tuple(alike[:MAX_SPELLING_SUGGESTIONS])


def _is_similar_enough(typed: str, word: str) -> bool:
    """Tell whether enough is left of a word; short ones may only be mixed up."""
    return len(typed) >= MIN_TYPO_WORD_LETTERS or sorted(typed) == sorted(word)
