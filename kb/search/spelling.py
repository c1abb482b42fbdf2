"""Corrections: 退款 for 退宽, 退货 for tuihuo, where no entry writes what was typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from kb.search.candidates import CandidateSet, QueryTerm
from kb.text.chinese.normalize import HAN_RUN_PATTERN
from kb.text.chinese.pinyin import make_phonetic_term
from kb.text.chinese.similarity import Wording

_LATIN_RUN_PATTERN = re.compile("[a-z]+")


def correct_query(candidates: CandidateSet, wordings: Iterable[Wording]) -> str:
    """Return the spelling of the query, with the words of an entry that sound alike.

    Only terms that no entry writes are replaced, by what is in one of its
    `wordings`. "" if nothing was.
    """
    spelling = candidates.query.spelling
    texts = [wording.spelling for wording in wordings]
    for term in candidates.unwritten_terms:
        typed = term.clause.term
        written = _find_corrected_word(term, texts) or _find_han_by_sounds(
            term.sounds, texts
        )
        spelling = spelling.replace(typed, written or typed)
    return "" if spelling == candidates.query.spelling else spelling


def _find_corrected_word(term: QueryTerm, texts: Sequence[str]) -> str:
    """Return the Latin word that was meant by a typing error, if it is in `texts`."""
    word = term.substitutes[0].term
    if _LATIN_RUN_PATTERN.fullmatch(word) and any(word in text for text in texts):
        return word
    return ""


def _find_han_by_sounds(sounds: Sequence[str], texts: Iterable[str]) -> str:
    """Return the first Han in `texts` whose bigrams have these sounds in a row."""
    if not sounds:
        return ""
    wanted = list(sounds)
    for run in _iterate_han_runs(texts):
        run_sounds = [make_phonetic_term(a + b) for a, b in pairwise(run)]
        for start in range(len(run_sounds) - len(wanted) + 1):
            if run_sounds[start : start + len(wanted)] == wanted:
                return run[start : start + len(wanted) + 1]
    return ""


def _iterate_han_runs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from HAN_RUN_PATTERN.findall(text)
