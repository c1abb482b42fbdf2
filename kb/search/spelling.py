"""What was meant where nobody writes what was typed: 退款 for 退宽, 退货 for tuihuo."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from kb.search.query_analysis import QueryAnalysis, QueryTerm
from kb.text.chinese.normalize import HAN_RUN_PATTERN, normalize_text
from kb.text.chinese.pinyin import fold_similar_sounds, make_phonetic_term, split_pinyin
from kb.text.chinese.similarity import Wording

_LATIN_RUN_PATTERN = re.compile("[a-z]+")


def correct_query(asked: QueryAnalysis, wordings: Iterable[Wording]) -> str:
    """Return what was typed, normalized, in the words of an entry that sounds so.

    Only what nobody writes as typed, and what the entry says instead; "" where
    that is just what was typed.
    """
    typed = spelling = normalize_text(asked.query_text)
    texts = [wording.spelling for wording in wordings]
    for need in asked.query_terms:
        if need.substitutes:
            typed_so = need.clause.term
            written = _find_corrected_word(need, texts) or _find_same_sounding_han(
                _list_sounds(typed_so), texts
            )
            spelling = spelling.replace(typed_so, written or typed_so)
    return "" if spelling == typed else spelling


def _find_corrected_word(need: QueryTerm, texts: list[str]) -> str:
    """Return the word that was meant by a slip of the keyboard, if it is written."""
    word = need.substitutes[0].term
    meant = _LATIN_RUN_PATTERN.fullmatch(word) and any(word in text for text in texts)
    return word if meant else ""


def _list_sounds(typed: str) -> list[str]:
    """Return how a word in pinyin, or a pair of Han, sounds: pair after pair."""
    if _LATIN_RUN_PATTERN.fullmatch(typed):
        syllables = [
            fold_similar_sounds(syllable) for syllable in split_pinyin(typed) or ()
        ]
        return list(map("'".join, pairwise(syllables)))
    return [make_phonetic_term(typed)] if len(typed) == 2 else []  # noqa: PLR2004 - a pair


def _find_same_sounding_han(sounds: list[str], texts: Iterable[str]) -> str:
    """Return the first Han in `texts` that sound so, a pair after the other."""
    if not sounds:
        return ""
    for run in _iterate_han_runs(texts):
        heard_so = [make_phonetic_term(a + b) for a, b in pairwise(run)]
        for start in range(len(heard_so) - len(sounds) + 1):
            if heard_so[start : start + len(sounds)] == sounds:
                return run[start : start + len(sounds) + 1]
    return ""


def _iterate_han_runs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from HAN_RUN_PATTERN.findall(text)
