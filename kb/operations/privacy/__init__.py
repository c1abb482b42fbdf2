"""Personal data that is stored: it expires, and can be erased on request."""

from __future__ import annotations

from kb.operations.privacy.erasure import (
    PersonIdentifier,
    PersonMatch,
    erase_person,
    find_person,
)
from kb.operations.privacy.retention import delete_expired_personal_data

__all__ = [
    "PersonIdentifier",
    "PersonMatch",
    "delete_expired_personal_data",
    "erase_person",
    "find_person",
]
