"""What an import did to a database row, recorded as JSON so that it can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model

from kb.models import Entry

JsonValues = dict[str, Any]  # {column: value that JSON can represent}
# Columns of an entry that no version contains.
EXTERNAL_ID_COLUMNS = frozenset({"source", "external_id"})
# Id, title, values before (None for a new row), values after.
RowChange = tuple[int, str, JsonValues | None, JsonValues]


def describe_version_change(entry: Entry) -> RowChange:
    """Return the change of an entry whose version an import has just increased by one."""
    before, after = {"version": entry.version - 1}, {"version": entry.version}
    return entry.pk, entry.question, before, after


def read_json_values(row: Model, names: Iterable[str]) -> JsonValues:
    """Return the columns `names` of a row as JSON values."""
    return to_json_values({name: getattr(row, name) for name in names})


def to_json_values(values: Mapping[str, Any]) -> JsonValues:
    """Return `values` with times as ISO 8601 text in UTC."""
    return {
        name: value.astimezone(UTC).isoformat()
        if isinstance(value, datetime)
        else value
        for name, value in values.items()
    }
