"""What in a text says who somebody is, and is never kept."""

from __future__ import annotations

import re

MASK = "***"  # holds no letter, so that no search can match it
# Phones, cards, identity and order numbers, also written in groups; addresses.
_NUMBER = r"\d(?:[\s.()-]{0,2}\d){6,}[Xx]?"
_EMAIL = r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"
_PERSONAL = re.compile(f"{_EMAIL}|{_NUMBER}")


def mask(text: str) -> str:
    """Return `text` with MASK for e-mail addresses and numbers of 7 digits or more."""
    return _PERSONAL.sub(MASK, text)
