"""Other forms of a text, for queries of one character, pinyin or initials."""

from __future__ import annotations

import re

from kb.text.chinese import pinyin
from kb.text.chinese.normalize import HAN_CHARACTER_CLASS, normalize_text

_RUN_PATTERN = re.compile(f"[{HAN_CHARACTER_CLASS}]+|[^{HAN_CHARACTER_CLASS}\\s]+")


def list_indexed_forms(text: str) -> list[str]:
    """Return the forms of `text` to index: its sounds, and each Han character."""
    characters = re.findall(f"[{HAN_CHARACTER_CLASS}]", normalize_text(text))
    return [
        *pinyin.list_phonetic_terms(text),
        *(f"·{c}" for c in dict.fromkeys(characters)),
    ]


def list_typed_forms(text: str) -> list[str]:
    """Return the forms that somebody typed: pinyin, initials, one character."""
    runs = _RUN_PATTERN.findall(normalize_text(text))
    alone = [f"·{run}" for run in runs if re.fullmatch(f"[{HAN_CHARACTER_CLASS}]", run)]
    return [
        *pinyin.list_typed_phonetic_terms(text),
        *(alone if len(runs) == len(alone) else ()),
    ]
