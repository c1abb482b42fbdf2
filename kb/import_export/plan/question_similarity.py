"""How alike two questions are: the test of whether a row means an entry."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz.distance import LCSseq

from kb.text.chinese import normalize, regional
from kb.text.chinese.similarity import encode_letters
from kb.text.chinese.term_weights import strip_function_words

# Both bounds are shares of common letters in order, 2 · common / (a + b), of the
# questions without what only asks (see `subject`). Measured on the FAQ sets of a
# cloud vendor (2,700) and of an office suite (2,685): of two questions drawn at
# random, 100 % and 99.4 % lie below SAME_QUESTION; of two neighbours in the same
# file 93 % and 91 %. Of rewordings of one question 92 % and 72 % reach it. A row
# that is stopped costs one tick, a row that is not costs an entry: so the bound is
# rather high.
SAME_QUESTION_SIMILARITY = 0.6
# As much as kb.search takes for the same question. 98 % and 96 % of neighbours in
# the same file lie below it.
NEAR_DUPLICATE_SIMILARITY = 0.75


@lru_cache(maxsize=50_000)
def list_compared_forms(text: str) -> tuple[str, ...]:
    """Return the letters of `text` that are compared, for each way to write it."""
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
    """Return the similarity, 0 to 1, of the two questions that are most alike."""
    forms = [form for text in others for form in list_compared_forms(text)]
    return max(
        (
            2 * LCSseq.similarity(one, other) / (len(one) + len(other))
            for text in texts
            for one in list_compared_forms(text)
            for other in forms
        ),
        default=0.0,
    )
