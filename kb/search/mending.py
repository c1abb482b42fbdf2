"""What was meant where nobody writes what was typed: 退款 for 退宽, 退货 for tuihuo."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from kb.search.asking import Asked
from kb.text.likeness import Wording
from kb.text.normalize import HAN, normalize
from kb.text.pinyin import blurred, heard, spell

_HAN_RUN = re.compile(f"[{HAN}]+")
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
            spelling = _mended(spelling, need.clause.term, texts)
    return "" if spelling == typed else spelling


def _mended(spelling: str, typed: str, texts: list[str]) -> str:
    if _LATIN_RUN.fullmatch(typed):
        syllables = [blurred(syllable) for syllable in spell(typed) or ()]
        sounds = list(map("'".join, pairwise(syllables)))
    else:
        sounds = [heard(typed)] if len(typed) == 2 else []  # noqa: PLR2004 - a pair
    return spelling.replace(typed, _written(sounds, texts) or typed)


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
        yield from _HAN_RUN.findall(text)
