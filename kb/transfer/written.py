"""What an import did to a row of the database, as it is kept to be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model

from kb.models import Entry

Cells = dict[str, Any]  # as JSON keeps them
NUMBER = frozenset({"source", "external_id"})  # columns that no version holds
Written = tuple[int, str, Cells | None, Cells]  # id, title, before, after


def version_of(entry: Entry) -> Written:
    """Return that an import has just raised the version of `entry` by one."""
    before, after = {"version": entry.version - 1}, {"version": entry.version}
    return entry.pk, entry.question, before, after


def told(row: Model, names: Iterable[str]) -> Cells:
    """Return columns of a row as JSON keeps them."""
    return plain({name: getattr(row, name) for name in names})


def plain(values: Mapping[str, Any]) -> Cells:
    return {
        name: value.astimezone(UTC).isoformat()
        if isinstance(value, datetime)
        else value
        for name, value in values.items()
    }
