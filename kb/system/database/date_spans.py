"""The first and the last date of a column, by two lookups in its index."""

from __future__ import annotations

from datetime import date

from django.db.models import Max, Min, Model
from django.utils import timezone


def find_date_span(model: type[Model], field: str) -> tuple[date, date] | None:
    """Return the first and last local date in `field`, or None without rows."""
    span = model._default_manager.aggregate(first=Min(field), last=Max(field))
    if span["first"] is None:
        return None
    return timezone.localdate(span["first"]), timezone.localdate(span["last"])
