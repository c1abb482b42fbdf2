"""Regional terms: 繁體 texts of Taiwan and Hong Kong in the words of 简体."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import opencc

from kb.text.chinese.normalize import is_traditional, normalize_text

_OPENCC_CONFIGS = ("tw2sp", "hk2s")  # characters and phrases, by OpenCC
_REGIONAL_TERMS_FILE = Path(__file__).with_name("regional.tsv")  # what its phrases lack


def list_simplified_wordings(text: str) -> tuple[str, ...]:
    """Return `text` as 简体 would say it, normalized; nothing where it is not 繁體.

    Several ways where a term has several: 清單 is 列表 and 清单.
    """
    if not is_traditional(text):
        return ()
    ours = _compile_terms_pattern().sub(
        lambda term: f" {_load_regional_terms()[term[0]]} ", normalize_text(text)
    )
    said = [normalize_text(convert.convert(text)) for convert in _load_converters()]
    return tuple(dict.fromkeys((*said, ours)))


@cache
def _load_regional_terms() -> dict[str, str]:
    lines = _REGIONAL_TERMS_FILE.read_text("utf-8").splitlines()
    return {
        normalize_text(term): normalize_text(said)
        for term, said in (line.split("\t") for line in lines)
    }


@cache
def _compile_terms_pattern() -> re.Pattern[str]:
    longest_first = sorted(_load_regional_terms(), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


@cache
def _load_converters() -> tuple[opencc.OpenCC, ...]:
    return tuple(map(opencc.OpenCC, _OPENCC_CONFIGS))
