"""SQL as it is written: for what is asked in every search, or of many rows.

To build a queryset and to put it into SQL takes Django five to ten times as long as
the database takes to answer. Values are always passed apart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Sized
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState

Row = tuple[Any, ...]
# By its place in a row: what makes a value of a column, and the column.
Converters = dict[int, tuple[Sequence[Callable[..., Any]], Any]]
M = TypeVar("M", bound=models.Model)

SELECT = "SELECT {} FROM {} WHERE {} IN"


def rows(sql: str, values: Sequence[Any] = ()) -> list[Row]:
    """Return the rows of `sql`, which has a %s for each of `values`."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def instances(
    model: type[M], ids: Collection[int], fields: tuple[str, ...] = ()
) -> dict[int, M]:
    """Return {id: instance} of the rows of `model` with one of `ids`.

    With `fields`, their attribute names, others are read when they are asked for.
    What Model.__init__ sets column by column is a dict here; no signal is sent.
    """
    select, names, converters = _selecting(model, fields)
    found = {}
    for row in rows(f"{select} ({places(ids)})", tuple(ids)):
        one = model.__new__(model)
        vars(one).update(zip(names, converted(row, converters), strict=True))
        one._state = ModelState()
        one._state.adding, one._state.db = False, connection.alias
        found[one.pk] = one
    return found


def converted(row: Sequence[Any], converters: Converters) -> list[Any]:
    """Return what the database gave as models hold it; what is empty stays so."""
    values = list(row)
    for at, (functions, column) in converters.items():
        for convert in functions if values[at] is not None else ():
            values[at] = convert(values[at], column, connection)
    return values


@cache
def _selecting(
    model: type[models.Model], fields: tuple[str, ...]
) -> tuple[str, list[str], Converters]:
    """Return the SQL up to the ids, the fields, and what makes values of columns."""
    known = model._meta.concrete_fields
    chosen = [f for f in known if f.primary_key or not fields or f.attname in fields]
    told = (model._meta.db_table, model._meta.pk.column, *(f.column for f in chosen))
    table, key, *columns = (connection.ops.quote_name(str(name)) for name in told)
    converters: Converters = {}
    for at, column in enumerate(field.cached_col for field in chosen):
        functions = connection.ops.get_db_converters(column)
        functions += column.get_db_converters(connection)
        if functions:
            converters[at] = functions, column
    names = [field.attname for field in chosen]
    return SELECT.format(", ".join(columns), table, key), names, converters


def write(sql: str, values: Sequence[Row]) -> None:
    """Run `sql` once for each row of values."""
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)


def places(values: Sized) -> str:
    """Return what stands for `values` between the brackets of IN ()."""
    return ", ".join(["%s"] * len(values)) or "NULL"


def moment(at: datetime) -> Any:
    """Return a moment as the database takes it beside a column of moments."""
    return connection.ops.adapt_datetimefield_value(at)
