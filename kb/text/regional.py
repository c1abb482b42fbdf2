"""How Taiwan and Hong Kong say it: 繁體 texts in the words of 简体."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import opencc

from kb.text.normalize import is_traditional, normalize

_WAYS = ("tw2sp", "hk2s")  # characters and phrases, by OpenCC
_FILE = Path(__file__).with_name("regional.tsv")  # what its phrases lack


def wordings(text: str) -> tuple[str, ...]:
    """Return `text` as 简体 would say it, normalized; nothing where it is not 繁體.

    Several ways where a term has several: 清單 is 列表 and 清单.
    """
    if not is_traditional(text):
        return ()
    ours = _pattern().sub(lambda term: f" {_terms()[term[0]]} ", normalize(text))
    said = [normalize(convert.convert(text)) for convert in _converters()]
    return tuple(dict.fromkeys((*said, ours)))


@cache
def _terms() -> dict[str, str]:
    lines = _FILE.read_text("utf-8").splitlines()
    return {
        normalize(term): normalize(said)
        for term, said in (line.split("\t") for line in lines)
    }


@cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_terms(), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


@cache
def _converters() -> tuple[opencc.OpenCC, ...]:
    return tuple(map(opencc.OpenCC, _WAYS))
