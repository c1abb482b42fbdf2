"""Corrections of words in Latin letters: indexed words at a small edit distance."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

LATIN_WORD_PATTERN = re.compile("[a-z]+")
# Letters that a typed word needs for a distance of 1, of 2, and of one transposition.
MIN_TYPO_WORD_LETTERS, MIN_TWO_TYPO_WORD_LETTERS = 5, 8
MIN_TRANSPOSITION_WORD_LETTERS = 4
MAX_SPELLING_SUGGESTIONS = 5


def find_spellings(typed: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return those of `words` that `typed` may misspell, nearest first.

    The distance counts inserted, missing, replaced and transposed letters: optimal
    string alignment, which edits no substring twice (F. J. Damerau, A technique for
    computer detection and correction of spelling errors, 1964). `typed` itself is not
    among them.
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
    by_distance = sorted((distance, word) for word, distance, _ in near if distance)
    similar = [word for _, word in by_distance if _is_similar_enough(typed, word)]
    return tuple(similar[:MAX_SPELLING_SUGGESTIONS])


def _is_similar_enough(typed: str, word: str) -> bool:
    """Return whether a short word differs by a transposition only; longer ones may more."""
    return len(typed) >= MIN_TYPO_WORD_LETTERS or sorted(typed) == sorted(word)
