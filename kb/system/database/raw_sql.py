"""SQL as it is written: for what is asked in every search, or of many rows.

To build a queryset and to put it into SQL takes Django five to ten times as long as
the database takes to answer. Values are always passed apart.
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
    """Return what stands for `values` between the brackets of IN ()."""
    return ", ".join(["%s"] * len(values)) or "NULL"


def adapt_datetime(at: datetime) -> Any:
    """Return a moment as the database takes it beside a column of moments."""
    return connection.ops.adapt_datetimefield_value(at)
