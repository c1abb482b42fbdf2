"""Personal data after it was stored: it expires by itself, and can be erased."""

from __future__ import annotations

from kb.privacy.erasing import Match, Needle, erase_person, find_person
from kb.privacy.retention import delete_expired_personal_data

__all__ = [
    "Match",
    "Needle",
    "delete_expired_personal_data",
    "erase_person",
    "find_person",
]
