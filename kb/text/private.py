"""The kinds of personal data that wording rules know from the start."""

from __future__ import annotations

from collections.abc import Iterator

from kb.text.personal import (
    CARD,
    EMAIL,
    IDENTITY,
    LANDLINE,
    MOBILE,
    find_personal_data,
)

KINDS = (IDENTITY, CARD, MOBILE, LANDLINE, EMAIL)


def found(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of numbers and addresses that belong to a person."""
    yield from find_personal_data(text, KINDS)
