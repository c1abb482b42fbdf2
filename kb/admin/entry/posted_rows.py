"""The rows of an inline in what a form has sent: read, put together anew, written back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import QueryDict

from kb.entries.content import REPLY
from kb.text import normalize

MOST = 60  # rows of one inline
_FIELD = re.compile(r"(?P<number>\d{1,3})-(?P<name>\w+)")
Row = dict[str, str]


def read(data: QueryDict, prefix: str) -> list[Row]:
    """Return the rows that were sent, by number."""
    rows: dict[int, Row] = {}
    for key in data:
        if key.startswith(f"{prefix}-") and (
            found := _FIELD.fullmatch(key[len(prefix) + 1 :])
        ):
            number = int(found["number"])
            sent = normalize.unify_line_ends(str(data[key]))
            rows.setdefault(number, {})[found["name"]] = sent
    total = data.get(f"{prefix}-TOTAL_FORMS", "")
    count = int(total) if re.fullmatch(r"[0-9]{1,3}", total) else 0
    return [rows[number] for number in sorted(rows) if number < min(count, MOST)]


def write(data: QueryDict, prefix: str, rows: Sequence[Row]) -> None:
    """Send these rows instead: first those that are kept already, as Django wants it."""
    for key in [k for k in data if _FIELD.fullmatch(k.removeprefix(f"{prefix}-"))]:
        if key.startswith(f"{prefix}-"):
            del data[key]
    kept = [row for row in rows if row.get("id")]
    fresh = [row for row in rows if not row.get("id")]
    for number, row in enumerate([*kept, *fresh]):
        for name, value in row.items():
            data[f"{prefix}-{number}-{name}"] = value
    data[f"{prefix}-TOTAL_FORMS"] = str(len(rows))
    data[f"{prefix}-INITIAL_FORMS"] = str(len(kept))


def said(value: Any) -> str:
    """Return a value as a form sends it."""
    return "" if value is None else str(value)


def of_reply(saved: Mapping[str, Any]) -> Row:
    """Return the row that shows a kept reply."""
    row = {name.removesuffix("_id"): said(saved[name]) for name in REPLY}
    return row | {"id": str(saved["id"])}


def differs(row: Row, saved: Mapping[str, Any] | None) -> bool:
    """Tell whether a row says something else than the reply it was made from."""
    return saved is None or any(
        said(row.get(name.removesuffix("_id"))).strip() != said(saved[name]).strip()
        for name in REPLY
    )


def follow_ups(data: QueryDict) -> list[int]:
    """Return the ids of what follows, as it was sent."""
    rows = read(data, "follow_ups")
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
        {"id": said(shown.get(pk)), "then": str(pk), "order": str(number)}
        for number, pk in enumerate(order)
    ]
    rows += [
        {"id": str(row_id), "then": str(pk), "order": "0", "DELETE": "on"}
        for pk, row_id in shown.items()
        if pk not in order
    ]
    write(data, "follow_ups", rows)
