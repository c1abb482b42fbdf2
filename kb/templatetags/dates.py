"""Which dates a list of the admin can be narrowed to: told from its first and its last."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template
from django.db.models import Max, Min
from django.utils import timezone

register = template.Library()


@dataclass(frozen=True, slots=True)
class DateChoice:
    title: str
    link: str = ""


@register.inclusion_tag("admin/date_hierarchy.html")
def show_date_choices(changelist: Any) -> dict[str, Any]:
    """Return what Django's own tag would, without reading all rows for it."""
    field = changelist.date_hierarchy
    span = _get_date_span(changelist.model, field)
    if span is None:
        return {"show": False}
    asked = [changelist.params.get(f"{field}__{part}") for part in DATE_PARTS]
    chosen = [int(value) for value in asked if value]
    back = _build_back_link(changelist, chosen)
    if len(chosen) == len(DATE_PARTS):
        return {
            "show": True,
            "back": back,
            "choices": [DateChoice(_format_title(chosen))],
        }
    choices = [
        DateChoice(_format_title(one), _build_link(changelist, one))
        for one in _iterate_next_parts(chosen, *span)
    ]
    return {"show": True, "back": back, "choices": choices}


DATE_PARTS = ("year", "month", "day")


def _get_date_span(model: Any, field: str) -> tuple[date, date] | None:
    found = model._default_manager.aggregate(first=Min(field), last=Max(field))
    if found["first"] is None:
        return None
    return timezone.localdate(found["first"]), timezone.localdate(found["last"])


def _iterate_next_parts(
    chosen: list[int], first: date, last: date
) -> Iterator[list[int]]:
    """Yield what `chosen` is made of, skipping levels where there is only one."""
    if not chosen and first.year != last.year:
        yield from ([year] for year in range(first.year, last.year + 1))
        return
    year = chosen[0] if chosen else last.year
    one_month = not chosen and first.month == last.month
    if len(chosen) < 2 and not one_month:  # noqa: PLR2004 - a year, and no month yet
        for month in range(1, 13):
            if (first.year, first.month) <= (year, month) <= (last.year, last.month):
                yield [year, month]
        return
    month = last.month if one_month else chosen[1]
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
    asked = {f"{field}__{part}": None for part in DATE_PARTS}
    asked |= {f"{field}__{p}": n for p, n in zip(DATE_PARTS, parts, strict=False)}  # type: ignore[misc]
    return str(changelist.get_query_string(asked))


def _build_back_link(changelist: Any, chosen: list[int]) -> DateChoice | None:
    if not chosen:
        return None
    above = chosen[:-1]
    title = _format_title(above) if above else "所有日期"
    return DateChoice(title, _build_link(changelist, above))
