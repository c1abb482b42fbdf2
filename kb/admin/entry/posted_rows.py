"""The rows of an inline in what a form has sent: read, put together anew, written back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import QueryDict

from kb.library.entries.snapshots import REPLY_COLUMNS
from kb.text.chinese import normalize

MAX_INLINE_ROWS = 60  # rows of one inline
_ROW_FIELD_PATTERN = re.compile(r"(?P<number>\d{1,3})-(?P<name>\w+)")
PostedRow = dict[str, str]


def read_rows(data: QueryDict, prefix: str) -> list[PostedRow]:
    """Return the rows that were sent, by number."""
    rows: dict[int, PostedRow] = {}
    for key in data:
        if key.startswith(f"{prefix}-") and (
            found := _ROW_FIELD_PATTERN.fullmatch(key[len(prefix) + 1 :])
        ):
            number = int(found["number"])
            sent = normalize.unify_line_ends(str(data[key]))
            rows.setdefault(number, {})[found["name"]] = sent
    total = data.get(f"{prefix}-TOTAL_FORMS", "")
    count = int(total) if re.fullmatch(r"[0-9]{1,3}", total) else 0
    return [
        rows[number] for number in sorted(rows) if number < min(count, MAX_INLINE_ROWS)
    ]


def write_rows(data: QueryDict, prefix: str, rows: Sequence[PostedRow]) -> None:
    """Send these rows instead: first those that are kept already, as Django wants it."""
    for key in [
        k for k in data if _ROW_FIELD_PATTERN.fullmatch(k.removeprefix(f"{prefix}-"))
    ]:
        if key.startswith(f"{prefix}-"):
            del data[key]
    kept = [row for row in rows if row.get("id")]
    fresh = [row for row in rows if not row.get("id")]
    for number, row in enumerate([*kept, *fresh]):
        for name, value in row.items():
            data[f"{prefix}-{number}-{name}"] = value
    data[f"{prefix}-TOTAL_FORMS"] = str(len(rows))
    data[f"{prefix}-INITIAL_FORMS"] = str(len(kept))


def format_value(value: Any) -> str:
    """Return a value as a form sends it."""
    return "" if value is None else str(value)


def build_reply_row(saved: Mapping[str, Any]) -> PostedRow:
    """Return the row that shows a kept reply."""
    row = {
        name.removesuffix("_id"): format_value(saved[name]) for name in REPLY_COLUMNS
    }
    return row | {"id": str(saved["id"])}


def is_row_changed(row: PostedRow, saved: Mapping[str, Any] | None) -> bool:
    """Tell whether a row says something else than the reply it was made from."""
    return saved is None or any(
        format_value(row.get(name.removesuffix("_id"))).strip()
        != format_value(saved[name]).strip()
        for name in REPLY_COLUMNS
    )


def read_follow_up_ids(data: QueryDict) -> list[int]:
    """Return the ids of what follows, as it was sent."""
    rows = read_rows(data, "follow_ups")
    sent = [row.get("then", "") for row in rows if not row.get("DELETE")]
    return [int(one) for one in sent if re.fullmatch(r"[0-9]{1,18}", one)]


def write_follow_ups(
    data: QueryDict, shown: Mapping[int, int], wanted: Iterable[int]
) -> None:
    """Let the form say that the entries `wanted` follow.

    `shown` is {target: primary key} of the rows that the form is made from.
    """
    order = list(wanted)
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
