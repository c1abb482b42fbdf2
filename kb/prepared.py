"""Queries put together once a process: Django takes longer to write one than a
database to answer it, and public pages ask the same ones for every stranger.

Who may see what stays said in one place, Entry.objects.visible_to: what it said to a
stranger of a site is asked again with other ids, at another moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, Generic, TypeGuard, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.utils import timezone

from kb.models import Reader, plain, shown_to

M = TypeVar("M", bound=models.Model)
Given = int | str | date | Sequence[int]
FIRST = -(10**15)  # an id that no row has: it marks where a given one goes
NOW = -1  # the place of the moment among what is given
MANY = 200  # kinds of strangers that are remembered, one a site


class Prepared(Generic[M]):
    """A queryset that `build` makes for a reader and what is given; `in` for a list.

    Rows that it joins are not read along.

    Who is logged in gets it made for him.
    """

    def __init__(self, build: Callable[..., models.QuerySet[M, Any]]) -> None:
        self._build = build
        self._known: dict[Any, _Asked[M] | None] = {}

    def rows(self, reader: Reader, *given: Given) -> list[M]:
        """Return the rows as their model."""
        if reader.is_authenticated:
            return list(self._build(reader, *given))
        found = self._of(reader, given)
        return found.made(found.rows(given)) if found else []

    def tuples(self, reader: Reader, *given: Given) -> list[tuple[Any, ...]]:
        """Return the rows of a values_list of numbers."""
        if reader.is_authenticated:
            return list(self._build(reader, *given))
        found = self._of(reader, given)
        return found.rows(given) if found else []

    def _of(self, reader: Reader, given: Sequence[Given]) -> _Asked[M] | None:
        """Return the query of readers like this one; None where nothing is theirs."""
        lengths = [len(one) for one in given if _is_list(one)]
        key = (connection.vendor, shown_to(reader), *lengths)
        if key not in self._known:
            if len(self._known) >= MANY:
                self._known.clear()
            self._known[key] = self._put_together(reader, given)
        return self._known[key]

    def _put_together(self, reader: Reader, given: Sequence[Given]) -> _Asked[M] | None:
        marks = list(_marks(given))
        before = _adapted(timezone.now())
        rows = self._build(reader, *_shaped(marks, given))
        after = _adapted(timezone.now())
        compiler = rows.query.get_compiler(connection=connection)
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:  # a site that shows nothing
            return None
        known = {_adapted(mark): place for place, mark in enumerate(marks)}
        places = [_place(param, known, before, after) for param in params]
        columns = [column for column, *_ in compiler.select]
        told = compiler.klass_info or {"select_fields": ()}
        return _Asked(
            model=rows.model,
            sql=sql,
            places=places,
            names=frozenset(columns[n].target.attname for n in told["select_fields"]),
            added=dict(compiler.annotation_col_map or {}),
            converters=compiler.get_converters(columns),
        )


@dataclass(frozen=True, slots=True)
class _Asked(Generic[M]):
    """A query as the database takes it, and what makes a row of it a row of `model`.

    As QuerySet.raw does, which finds it all out again each time it is asked.
    """

    model: type[M]
    sql: str
    places: Sequence[Any]
    names: frozenset[str]  # of the columns that come first, the model's own
    added: dict[str, int]  # annotations, and where they stand
    converters: plain.Converters

    def rows(self, given: Sequence[Given]) -> list[plain.Row]:
        return plain.rows(self.sql, _filled(self.places, given))

    def made(self, rows: Sequence[plain.Row]) -> list[M]:
        return [self._made(row) for row in rows]

    def _made(self, row: plain.Row) -> M:
        values = plain.converted(row, self.converters)
        own = values[: len(self.names)]
        one = self.model.from_db(connection.alias, self.names, own)
        for name, place in self.added.items():
            setattr(one, name, values[place])
        return one


class _Place(int):
    """Which of the given values stands here."""


def _place(param: Any, known: dict[Any, int], before: Any, after: Any) -> Any:
    """Return `param`, or the place of what it stands for; a moment just now is now."""
    if param in known:
        return _Place(known[param])
    is_now = type(param) is type(before) and before <= param <= after
    return _Place(NOW) if is_now else param


def _is_list(one: Given) -> TypeGuard[Sequence[int]]:
    return isinstance(one, Sequence) and not isinstance(one, str)


def _marks(given: Sequence[Given]) -> Any:
    numbers = count(FIRST)
    for one in given:
        if isinstance(one, date):
            yield date.min + timedelta(next(numbers) - FIRST)
        elif isinstance(one, str):
            yield str(next(numbers))
        else:
            for _ in one if isinstance(one, Sequence) else (one,):
                yield next(numbers)


def _shaped(marks: Sequence[Any], given: Sequence[Given]) -> Any:
    """Yield the marks in the shape of what is given."""
    left = iter(marks)
    for one in given:
        yield [next(left) for _ in one] if _is_list(one) else next(left)


def _filled(places: Sequence[Any], given: Sequence[Given]) -> list[Any]:
    values: list[Any] = []
    for one in given:
        values.extend(one if _is_list(one) else (_adapted(one),))
    values.append(_adapted(timezone.now()))
    return [values[one] if isinstance(one, _Place) else one for one in places]


def _adapted(value: Any) -> Any:
    """Return `value` as the database takes it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, date):
        return connection.ops.adapt_datefield_value(value)
    return value
