"""The date filter above lists of the admin, without a query over all rows.

Django's own tag groups all rows by date. This one offers all dates between the first
and the last, which an index finds at once.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template

from kb.system.database.date_spans import find_date_span

DATE_PARTS = ("year", "month", "day")
register = template.Library()


@dataclass(frozen=True, slots=True)
class DateChoice:
    """A link of the filter, with the names that Django's template expects."""

    title: str
    link: str = ""


@register.inclusion_tag("admin/date_hierarchy.html")
def show_date_choices(changelist: Any) -> dict[str, Any]:
    """Return the context of Django's template for `date_hierarchy`."""
    field = changelist.date_hierarchy
    span = find_date_span(changelist.model, field)
    if span is None:
        return {"show": False}
    values = [changelist.params.get(f"{field}__{part}") for part in DATE_PARTS]
    chosen = [int(value) for value in values if value]
    back = _build_back_link(changelist, chosen)
    if len(chosen) == len(DATE_PARTS):
        return {
            "show": True,
            "back": back,
            "choices": [DateChoice(_format_title(chosen))],
        }
    choices = [
        DateChoice(_format_title(parts), _build_link(changelist, parts))
        for parts in _iterate_next_parts(chosen, *span)
    ]
    return {"show": True, "back": back, "choices": choices}


def _iterate_next_parts(
    chosen: list[int], first: date, last: date
) -> Iterator[list[int]]:
    """Yield [year], [year, month] or [year, month, day] of the level below `chosen`.

    A level with only one choice is skipped.
    """
    if not chosen and first.year != last.year:
        yield from ([year] for year in range(first.year, last.year + 1))
        return
    year = chosen[0] if chosen else last.year
    is_single_month = not chosen and first.month == last.month
    if len(chosen) < 2 and not is_single_month:  # noqa: PLR2004 - no month is chosen
        for month in range(1, 13):
            if (first.year, first.month) <= (year, month) <= (last.year, last.month):
                yield [year, month]
        return
    month = last.month if is_single_month else chosen[1]
    for day in range(1, calendar.monthrange(year, month)[1] + 1):
        if first <= date(year, month, day) <= last:
            yield [year, month, day]


def _format_title(parts: list[int]) -> str:
    year, *rest = parts
    if not rest:
        return f"{year}年"
    month, *day = rest
    return f"{month}月{day[0]}日" if day else f"{year}年{month}月"


def _build_link(changelist: Any, parts: list[int]) -> str:
    field = changelist.date_hierarchy
    parameters = {f"{field}__{part}": None for part in DATE_PARTS}
    parameters |= {f"{field}__{p}": n for p, n in zip(DATE_PARTS, parts, strict=False)}  # type: ignore[misc]
    return str(changelist.get_query_string(parameters))


def _build_back_link(changelist: Any, chosen: list[int]) -> DateChoice | None:
    if not chosen:
        return None
    parent = chosen[:-1]
    title = _format_title(parent) if parent else "所有日期"
    return DateChoice(title, _build_link(changelist, parent))
