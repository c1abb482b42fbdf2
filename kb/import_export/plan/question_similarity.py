"""The similarity of two questions, which decides whether a row means an entry."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz.distance import LCSseq

from kb.text.chinese import normalize, regional
from kb.text.chinese.similarity import encode_letters
from kb.text.chinese.term_weights import strip_function_words

# Both thresholds apply to 2 · lcs / (a + b): the length of the longest common
# subsequence of letters over the mean length, of the questions without function words.
# Measured on the FAQ sets of a cloud vendor (2,700) and of an office suite (2,685): of
# pairs drawn at random, 100 % and 99.4 % are below SAME_QUESTION_SIMILARITY; of
# neighbours in the same file 93 % and 91 %. Of rewordings of one question 92 % and 72 %
# reach it. A row refused by mistake costs a confirmation, a row accepted by mistake
# overwrites an entry, so the threshold is rather high.
SAME_QUESTION_SIMILARITY = 0.6
# As in kb.search. 98 % and 96 % of neighbours in the same file are below it.
NEAR_DUPLICATE_SIMILARITY = 0.75


@lru_cache(maxsize=50_000)
def list_compared_forms(text: str) -> tuple[str, ...]:
    """Return the letters of `text` without function words, once for each spelling."""
    spellings = (
        normalize.normalize_text(text),
        *regional.list_simplified_wordings(text),
    )
    forms = (
        encode_letters(strip_function_words(spelling)) or encode_letters(spelling)
        for spelling in spellings
    )
    return tuple(dict.fromkeys(filter(None, forms)))


def compute_question_similarity(texts: Iterable[str], others: Iterable[str]) -> float:
    """Return the similarity, 0 to 1, of the most similar pair of the two sets."""
    other_forms = [form for text in others for form in list_compared_forms(text)]
    return max(
        (
            2 * LCSseq.similarity(form, other) / (len(form) + len(other))
            for text in texts
            for form in list_compared_forms(text)
            for other in other_forms
        ),
        default=0.0,
    )
