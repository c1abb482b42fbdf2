"""Lists of relevance tests for staff: reads only."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from kb.models import RelevanceTest


def list_failing_tests() -> QuerySet[RelevanceTest]:
    return RelevanceTest.objects.failing().select_related("entry")


def count_tests() -> int:
    return RelevanceTest.objects.count()


def load_tests(ids: Iterable[int]) -> dict[int, RelevanceTest]:
    """Return {id: test} of those that still exist."""
    return RelevanceTest.objects.select_related("entry").in_bulk(ids)
