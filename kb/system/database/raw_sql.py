"""Raw SQL, for queries of every search, or of many rows.

Django needs five to ten times as long to build and compile a queryset as the database
to answer it. Values are always passed as parameters.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from datetime import datetime
from typing import Any

from django.db import connection

SqlRow = tuple[Any, ...]


def fetch_rows(sql: str, values: Sequence[Any] = ()) -> list[SqlRow]:
    """Return the rows of `sql`, which has a %s for each of `values`."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def execute_for_rows(sql: str, values: Sequence[SqlRow]) -> None:
    """Run `sql` once for each row of values."""
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)


def format_placeholders(values: Sized) -> str:
    """Return the placeholders of `values` for IN (…); NULL if there are none."""
    return ", ".join(["%s"] * len(values)) or "NULL"


def adapt_datetime(time: datetime) -> Any:
    """Return `time` as a parameter that the database compares with a datetime column."""
    return connection.ops.adapt_datetimefield_value(time)
