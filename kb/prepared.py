"""Queries put together once a process: Django takes longer to write one than a
database to answer it, and public pages ask the same ones for every stranger.

Who may see what stays said in one place, Entry.objects.visible_to: what it said to a
stranger of a site is asked again with other ids, at another moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.utils import timezone

from kb.models import Reader, shown_to

M = TypeVar("M", bound=models.Model)
Given = int | date | Sequence[int]
FIRST = -(10**15)  # an id that no row has: it marks where a given one goes
NOW = -1  # the place of the moment among what is given
MANY = 200  # kinds of strangers that are remembered, one a site


class Prepared(Generic[M]):
    """A queryset that `build` makes for a reader and what is given; `in` for a list.

    Who is logged in gets it made for him.
    """

    def __init__(self, build: Callable[..., models.QuerySet[M, Any]]) -> None:
        self._build = build
        self._known: dict[Any, tuple[type[M], str, list[Any]] | None] = {}

    def rows(self, reader: Reader, *given: Given) -> list[M]:
        """Return the rows as their model."""
        if reader.is_authenticated:
            return list(self._build(reader, *given))
        if (found := self._of(reader, given)) is None:
            return []
        model, sql, places = found
        return list(model._default_manager.raw(sql, _filled(places, given)))

    def tuples(self, reader: Reader, *given: Given) -> list[tuple[Any, ...]]:
        """Return the rows of a values_list of numbers."""
        if reader.is_authenticated:
            return list(self._build(reader, *given))
        if (found := self._of(reader, given)) is None:
            return []
        _, sql, places = found
        with connection.cursor() as cursor:
            cursor.execute(sql, _filled(places, given))
            return list(cursor.fetchall())

    def _of(self, reader: Reader, given: Sequence[Given]) -> Any:
        """Return (model, SQL, parameters and places) for readers like this one."""
        lengths = [len(one) for one in given if isinstance(one, Sequence)]
        key = (connection.vendor, shown_to(reader), *lengths)
        if key not in self._known:
            if len(self._known) >= MANY:
                self._known.clear()
            self._known[key] = self._put_together(reader, given)
        return self._known[key]

    def _put_together(self, reader: Reader, given: Sequence[Given]) -> Any:
        marks = list(_marks(given))
        before = _adapted(timezone.now())
        rows = self._build(reader, *_shaped(marks, given))
        after = _adapted(timezone.now())
        try:
            sql, params = rows.query.sql_with_params()
        except EmptyResultSet:  # a site that shows nothing
            return None
        known = {_adapted(mark): place for place, mark in enumerate(marks)}
        places = [_place(param, known, before, after) for param in params]
        return rows.model, sql, places


class _Place(int):
    """Which of the given values stands here."""


def _place(param: Any, known: dict[Any, int], before: Any, after: Any) -> Any:
    """Return `param`, or the place of what it stands for; a moment just now is now."""
    if param in known:
        return _Place(known[param])
    is_now = type(param) is type(before) and before <= param <= after
    return _Place(NOW) if is_now else param


def _marks(given: Sequence[Given]) -> Any:
    numbers = count(FIRST)
    for one in given:
        if isinstance(one, date):
            yield date.min + timedelta(next(numbers) - FIRST)
        else:
            for _ in one if isinstance(one, Sequence) else (one,):
                yield next(numbers)


def _shaped(marks: Sequence[Any], given: Sequence[Given]) -> Any:
    """Yield the marks in the shape of what is given."""
    left = iter(marks)
    for one in given:
        yield [next(left) for _ in one] if isinstance(one, Sequence) else next(left)


def _filled(places: Sequence[Any], given: Sequence[Given]) -> list[Any]:
    values: list[Any] = []
    for one in given:
        values.extend(one if isinstance(one, Sequence) else (_adapted(one),))
    values.append(_adapted(timezone.now()))
    return [values[one] if isinstance(one, _Place) else one for one in places]


def _adapted(value: Any) -> Any:
    """Return `value` as the database takes it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, date):
        return connection.ops.adapt_datefield_value(value)
    return value
