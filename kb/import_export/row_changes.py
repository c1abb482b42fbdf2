"""What an import did to a row of the database, as it is kept to be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model

from kb.models import Entry

JsonValues = dict[str, Any]  # as JSON keeps them
EXTERNAL_ID_COLUMNS = frozenset(
    {"source", "external_id"}
)  # columns that no version holds
RowChange = tuple[int, str, JsonValues | None, JsonValues]  # id, title, before, after


def describe_version_change(entry: Entry) -> RowChange:
    """Return that an import has just raised the version of `entry` by one."""
    before, after = {"version": entry.version - 1}, {"version": entry.version}
    return entry.pk, entry.question, before, after


def read_json_values(row: Model, names: Iterable[str]) -> JsonValues:
    """Return columns of a row as JSON keeps them."""
    return to_json_values({name: getattr(row, name) for name in names})


def to_json_values(values: Mapping[str, Any]) -> JsonValues:
    return {
        name: value.astimezone(UTC).isoformat()
        if isinstance(value, datetime)
        else value
        for name, value in values.items()
    }
