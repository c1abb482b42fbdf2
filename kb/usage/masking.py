"""Mask personal data in words that are stored as usage."""

from __future__ import annotations

from kb.models.search import MAX_SEARCH_CHARS
from kb.text.chinese import normalize
from kb.text.privacy import personal_data


def mask_words(words: str) -> str:
    """Return `words` on one line, personal data masked, cut to MAX_SEARCH_CHARS."""
    return personal_data.mask_personal_data(normalize.clean_single_line(words))[
        :MAX_SEARCH_CHARS
    ].strip()
