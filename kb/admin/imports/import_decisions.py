"""The decisions that a person makes in the preview of an import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict

from kb.import_export import DUPLICATE_ACTIONS, SKIP_DUPLICATE

ROW_CHOICE_PREFIX = "choice-"  # of form fields, before the number of the row
MAX_ROW_NUMBER_DIGITS = 9


@dataclass(frozen=True, slots=True)
class ImportDecisions:
    """What to do with rows that replace entries, are duplicates, or change live ones.

    `replaced_rows` are numbers of rows that may replace an entry by another question.
    `choices_by_row` is for single duplicates, `duplicates` for all others.
    `change_live` lets rows change published entries.
    """

    replaced_rows: frozenset[int] = frozenset()
    duplicates: str = SKIP_DUPLICATE
    choices_by_row: Mapping[int, str] = field(default_factory=dict)
    change_live: bool = False

    @classmethod
    def from_post(cls, posted: QueryDict) -> ImportDecisions:
        """Return the posted decisions; values that are not valid are left out."""
        duplicates = posted.get("duplicates", SKIP_DUPLICATE)
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
            duplicates if duplicates in DUPLICATE_ACTIONS else SKIP_DUPLICATE,
            rows,
            posted.get("change_live") == "on",
        )

    @classmethod
    def from_session(cls, stored: Mapping[str, Any]) -> ImportDecisions:
        """Return the decisions that `to_session` stored."""
        return cls(
            frozenset(stored.get("replaced", ())),
            stored.get("duplicates", SKIP_DUPLICATE),
            {int(row): choice for row, choice in stored.get("rows", {}).items()},
            stored.get("change_live", False),
        )

    def to_session(self) -> dict[str, Any]:
        """Return the decisions as JSON for the session."""
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
