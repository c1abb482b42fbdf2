"""What of an agent's or a customer's words may be kept."""

from __future__ import annotations

from kb.models.search import MAX_SEARCH_CHARS
from kb.text.chinese import normalize
from kb.text.privacy import personal_data


def mask_words(words: str) -> str:
    """Return `words` on one line, without what names a person."""
    return personal_data.mask(normalize.clean_single_line(words))[
        :MAX_SEARCH_CHARS
    ].strip()
