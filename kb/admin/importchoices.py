"""What somebody decides in the preview of an import, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict

from kb.transfer import CHOICES, SKIP

ROW = "choice-"  # and the number of the row: the name of a field
MAX_ROW = 9  # digits


@dataclass(frozen=True, slots=True)
class Decisions:
    """`replaced` are rows that may put another question in an entry's place.

    `rows` has a choice for single duplicates, `duplicates` is for the others.
    `change_live` lets rows change what is published.
    """

    replaced: frozenset[int] = frozenset()
    duplicates: str = SKIP
    rows: Mapping[int, str] = field(default_factory=dict)
    change_live: bool = False

    @classmethod
    def read(cls, posted: QueryDict) -> Decisions:
        """Return what a form says; what is no row and no choice is left out."""
        chosen = posted.get("duplicates", SKIP)
        rows = {
            int(name.removeprefix(ROW)): value
            for name, value in posted.items()
            if name.startswith(ROW)
            and _is_row(name.removeprefix(ROW))
            and value in CHOICES
        }
        return cls(
            frozenset(int(row) for row in posted.getlist("replace") if _is_row(row)),
            chosen if chosen in CHOICES else SKIP,
            rows,
            posted.get("change_live") == "on",
        )

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> Decisions:
        """Return what `stored` made fit for a session."""
        return cls(
            frozenset(stored.get("replaced", ())),
            stored.get("duplicates", SKIP),
            {int(row): choice for row, choice in stored.get("rows", {}).items()},
            stored.get("change_live", False),
        )

    def stored(self) -> dict[str, Any]:
        return {
            "replaced": sorted(self.replaced),
            "duplicates": self.duplicates,
            "rows": {str(row): choice for row, choice in self.rows.items()},
            "change_live": self.change_live,
        }

    def without_replaced(self) -> Decisions:
        return replace(self, replaced=frozenset())


def _is_row(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_ROW
