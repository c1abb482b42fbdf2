"""库内号: a mark that identifies a row of this library in an export.

It is the row's id with a keyed hash, so an id from another library is not mistaken for
one of this library.
"""

from __future__ import annotations

from django.utils.crypto import constant_time_compare, salted_hmac

MAX_MARK_ID_DIGITS = 18  # a larger id does not fit into every database


def make_row_mark(kind: str, pk: int) -> str:
    return f"{pk}-{_compute_seal(kind, pk)}"


def read_row_mark(kind: str, text: str) -> int | None:
    """Return the id in a mark; None for no mark, or one of another library."""
    digits, _, seal = text.partition("-")
    is_number = digits.isascii() and digits.isdecimal()
    if not is_number or len(digits) > MAX_MARK_ID_DIGITS:
        return None
    pk = int(digits)
    return pk if constant_time_compare(seal, _compute_seal(kind, pk)) else None


def _compute_seal(kind: str, pk: int) -> str:
    salt = f"kb.import_export.row_marks.{kind}"
    return salted_hmac(salt, str(pk), algorithm="sha256").hexdigest()[:8]
