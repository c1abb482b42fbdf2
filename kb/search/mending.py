"""What was meant where nobody writes what was typed: 退款 for 退宽, 退货 for tuihuo."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from kb.search.asking import Asked, Need
from kb.text.likeness import Wording
from kb.text.normalize import HAN_RUN, normalize
from kb.text.pinyin import blurred, heard, spell

_LATIN_RUN = re.compile("[a-z]+")


def mended(asked: Asked, wordings: Iterable[Wording]) -> str:
    """Return what was typed, normalized, in the words of an entry that sounds so.

    Only what nobody writes as typed, and what the entry says instead; "" where
    that is just what was typed.
    """
    typed = spelling = normalize(asked.words)
    texts = [wording.spelling for wording in wordings]
    for need in asked.needs:
        if need.instead:
            typed_so = need.clause.term
            written = _respelt(need, texts) or _written(_sounds(typed_so), texts)
            spelling = spelling.replace(typed_so, written or typed_so)
    return "" if spelling == typed else spelling


def _respelt(need: Need, texts: list[str]) -> str:
    """Return the word that was meant by a slip of the keyboard, if it is written."""
    word = need.instead[0].term
    meant = _LATIN_RUN.fullmatch(word) and any(word in text for text in texts)
    return word if meant else ""


def _sounds(typed: str) -> list[str]:
    """Return how a word in pinyin, or a pair of Han, sounds: pair after pair."""
    if _LATIN_RUN.fullmatch(typed):
        syllables = [blurred(syllable) for syllable in spell(typed) or ()]
        return list(map("'".join, pairwise(syllables)))
    return [heard(typed)] if len(typed) == 2 else []  # noqa: PLR2004 - a pair


def _written(sounds: list[str], texts: Iterable[str]) -> str:
    """Return the first Han in `texts` that sound so, a pair after the other."""
    if not sounds:
        return ""
    for run in _runs(texts):
        heard_so = [heard(a + b) for a, b in pairwise(run)]
        for start in range(len(heard_so) - len(sounds) + 1):
            if heard_so[start : start + len(sounds)] == sounds:
                return run[start : start + len(sounds) + 1]
    return ""


def _runs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from HAN_RUN.findall(text)
