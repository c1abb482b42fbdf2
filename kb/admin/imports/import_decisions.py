"""What somebody decides in the preview of an import, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict

from kb.import_export import DUPLICATE_ACTIONS, SKIP_DUPLICATE

ROW_CHOICE_PREFIX = "choice-"  # and the number of the row: the name of a field
MAX_ROW_NUMBER_DIGITS = 9  # digits


@dataclass(frozen=True, slots=True)
class ImportDecisions:
    """`replaced` are rows that may put another question in an entry's place.

    `rows` has a choice for single duplicates, `duplicates` is for the others.
    `change_live` lets rows change what is published.
    """

    replaced_rows: frozenset[int] = frozenset()
    duplicates: str = SKIP_DUPLICATE
    choices_by_row: Mapping[int, str] = field(default_factory=dict)
    change_live: bool = False

    @classmethod
    def from_post(cls, posted: QueryDict) -> ImportDecisions:
        """Return what a form says; what is no row and no choice is left out."""
        chosen = posted.get("duplicates", SKIP_DUPLICATE)
        rows = {
            int(name.removeprefix(ROW_CHOICE_PREFIX)): value
            for name, value in posted.items()
            if name.startswith(ROW_CHOICE_PREFIX)
            and _is_row_number(name.removeprefix(ROW_CHOICE_PREFIX))
            and value in DUPLICATE_ACTIONS
        }
        return cls(
            frozenset(
                int(row) for row in posted.getlist("replace") if _is_row_number(row)
            ),
            chosen if chosen in DUPLICATE_ACTIONS else SKIP_DUPLICATE,
            rows,
            posted.get("change_live") == "on",
        )

    @classmethod
    def from_session(cls, stored: Mapping[str, Any]) -> ImportDecisions:
        """Return what `stored` made fit for a session."""
        return cls(
            frozenset(stored.get("replaced", ())),
            stored.get("duplicates", SKIP_DUPLICATE),
            {int(row): choice for row, choice in stored.get("rows", {}).items()},
            stored.get("change_live", False),
        )

    def to_session(self) -> dict[str, Any]:
        return {
            "replaced": sorted(self.replaced_rows),
            "duplicates": self.duplicates,
            "rows": {str(row): choice for row, choice in self.choices_by_row.items()},
            "change_live": self.change_live,
        }

    def without_replacements(self) -> ImportDecisions:
        return replace(self, replaced_rows=frozenset())


def _is_row_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_ROW_NUMBER_DIGITS
