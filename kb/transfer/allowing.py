"""What a file may do is what its sender may: told row by row, before it is tried."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from kb import entries
from kb.entries import Footing
from kb.models import User

Refusal = tuple[str, str]  # the field to name, and why


class Allowing:
    """Answers for the sender of one file; what rows have in common is asked once."""

    def __init__(self, by: User | None) -> None:
        self.by = by
        self._told: dict[tuple[Footing, Footing | None], Refusal | None] = {}

    def refusal(self, now: Footing, was: Footing | None) -> Refusal | None:
        """Return why an entry may not get from `was`, None when new, to `now`."""
        if self.by is None:
            return None
        if (now, was) not in self._told:
            self._told[now, was] = _ask(now, was, by=self.by)
        return self._told[now, was]


def _ask(now: Footing, was: Footing | None, *, by: User) -> Refusal | None:
    try:
        entries.require_by_file(now, was, by=by)
    except ValidationError as error:
        name = "category" if error.code == "remit" else "status"
        return name, "".join(error.messages).rstrip("。")
    return None
