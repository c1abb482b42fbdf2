"""What of an agent's or a customer's words may be kept."""

from __future__ import annotations

from kb.models.usage import LONGEST
from kb.text import normalize, personal


def kept(words: str) -> str:
    """Return `words` on one line, without what names a person."""
    return personal.mask(normalize.line(words))[:LONGEST].strip()
