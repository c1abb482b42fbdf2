"""库内号: which row of this very library a line of a file is; elsewhere it says nothing."""

from __future__ import annotations

from django.utils.crypto import constant_time_compare, salted_hmac

MAX_MARK_ID_DIGITS = 18  # of an id: what fits into every database


def make_row_mark(kind: str, pk: int) -> str:
    return f"{pk}-{_make_seal(kind, pk)}"


def read_row_mark(kind: str, text: str) -> int | None:
    """Return the id that `text` marks, None for a mark of another library or none."""
    number, _, seal = text.partition("-")
    if not (
        number.isascii() and number.isdecimal() and len(number) <= MAX_MARK_ID_DIGITS
    ):
        return None
    pk = int(number)
    return pk if constant_time_compare(seal, _make_seal(kind, pk)) else None


def _make_seal(kind: str, pk: int) -> str:
    made = salted_hmac(
        f"kb.import_export.row_marks.{kind}", str(pk), algorithm="sha256"
    )
    return made.hexdigest()[:8]
