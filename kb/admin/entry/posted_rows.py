"""Rows of an inline formset in posted data: read them, and write changed ones back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import QueryDict

from kb.library.entries.snapshots import REPLY_COLUMNS
from kb.text.chinese import normalize

MAX_INLINE_ROWS = 60
_ROW_FIELD_PATTERN = re.compile(r"(?P<number>\d{1,3})-(?P<name>\w+)")
PostedRow = dict[str, str]  # {name of the field: posted value}


def read_rows(data: QueryDict, prefix: str) -> list[PostedRow]:
    """Return the posted rows in the order of their numbers."""
    rows: dict[int, PostedRow] = {}
    for key in data:
        if key.startswith(f"{prefix}-") and (
            match := _ROW_FIELD_PATTERN.fullmatch(key[len(prefix) + 1 :])
        ):
            number = int(match["number"])
            value = normalize.unify_line_ends(str(data[key]))
            rows.setdefault(number, {})[match["name"]] = value
    total = data.get(f"{prefix}-TOTAL_FORMS", "")
    count = int(total) if re.fullmatch(r"[0-9]{1,3}", total) else 0
    return [
        rows[number] for number in sorted(rows) if number < min(count, MAX_INLINE_ROWS)
    ]


def write_rows(data: QueryDict, prefix: str, rows: Sequence[PostedRow]) -> None:
    """Replace the posted rows; saved ones come first, as Django requires."""
    for key in [
        k for k in data if _ROW_FIELD_PATTERN.fullmatch(k.removeprefix(f"{prefix}-"))
    ]:
        if key.startswith(f"{prefix}-"):
            del data[key]
    saved = [row for row in rows if row.get("id")]
    new = [row for row in rows if not row.get("id")]
    for number, row in enumerate([*saved, *new]):
        for name, value in row.items():
            data[f"{prefix}-{number}-{name}"] = value
    data[f"{prefix}-TOTAL_FORMS"] = str(len(rows))
    data[f"{prefix}-INITIAL_FORMS"] = str(len(saved))


def format_value(value: Any) -> str:
    """Return a value as a form posts it."""
    return "" if value is None else str(value)


def build_reply_row(saved: Mapping[str, Any]) -> PostedRow:
    """Return the row that a form would post for a saved reply."""
    row = {
        name.removesuffix("_id"): format_value(saved[name]) for name in REPLY_COLUMNS
    }
    return row | {"id": str(saved["id"])}


def is_row_changed(row: PostedRow, saved: Mapping[str, Any] | None) -> bool:
    """Return whether a row differs from the saved reply; True where there is none."""
    return saved is None or any(
        format_value(row.get(name.removesuffix("_id"))).strip()
        != format_value(saved[name]).strip()
        for name in REPLY_COLUMNS
    )


def read_follow_up_ids(data: QueryDict) -> list[int]:
    """Return the posted ids of the follow-up entries, in order."""
    rows = read_rows(data, "follow_ups")
    ids = [row.get("then", "") for row in rows if not row.get("DELETE")]
    return [int(pk) for pk in ids if re.fullmatch(r"[0-9]{1,18}", pk)]


def write_follow_ups(
    data: QueryDict, shown: Mapping[int, int], entry_ids: Iterable[int]
) -> None:
    """Make the entries `entry_ids` the posted follow-ups, in that order.

    `shown` is {entry id: primary key of the row} of the rows that the form shows.
    """
    order = list(entry_ids)
    rows = [
        {"id": format_value(shown.get(pk)), "then": str(pk), "order": str(number)}
        for number, pk in enumerate(order)
    ]
    rows += [
        {"id": str(row_id), "then": str(pk), "order": "0", "DELETE": "on"}
        for pk, row_id in shown.items()
        if pk not in order
    ]
    write_rows(data, "follow_ups", rows)
