"""Other forms of a question, for those who type one character, or how it sounds."""

from __future__ import annotations

import re

from kb.text import pinyin
from kb.text.normalize import HAN, normalize

_RUN = re.compile(f"[{HAN}]+|[^{HAN}\\s]+")


def of(text: str) -> list[str]:
    """Return the forms of `text` to index: its sounds, and each Han character."""
    characters = re.findall(f"[{HAN}]", normalize(text))
    return [*pinyin.sounds(text), *(f"·{c}" for c in dict.fromkeys(characters))]


def typed(text: str) -> list[str]:
    """Return the forms that somebody typed: pinyin, initials, one character."""
    runs = _RUN.findall(normalize(text))
    alone = [f"·{run}" for run in runs if re.fullmatch(f"[{HAN}]", run)]
    return [*pinyin.typed(text), *(alone if len(runs) == len(alone) else ())]
