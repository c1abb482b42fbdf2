"""Figures of gaps: spellings, persons, and the trend of searches without a pick."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from kb.models import Search, SearchGap, SearchGapSpelling

TREND_PERIOD = timedelta(days=7)  # two of these are compared


@dataclass(slots=True)
class GapFigures:
    """Figures of one gap over the stored searches (KB_RETENTION_DAYS["searches"])."""

    spellings: list[str] = field(default_factory=list)
    person_count: int = 0
    misses_this_week: int = 0  # searches without a pick in the last seven days
    misses_last_week: int = 0  # and in the seven before

    @property
    def trend(self) -> int:
        """Return misses of the last seven days minus those of the seven days before.

        Positive means that it gets worse. The plain difference is used, not a ratio,
        because weekly counts of one gap are small and often 0.
        """
        return self.misses_this_week - self.misses_last_week


def get_gap_figures(gaps: Collection[SearchGap]) -> dict[int, GapFigures]:
    """Return {gap id: figures}, in two queries for all gaps."""
    figures = {gap.pk: GapFigures() for gap in gaps}
    gap_by_spelling: dict[tuple[str, str], int] = {}
    for row in SearchGapSpelling.objects.filter(gap__in=figures):
        gap_by_spelling[row.side, row.words_key] = row.gap_id
        figures[row.gap_id].spellings.append(row.words)
    persons: dict[int, set[str]] = {pk: set() for pk in figures}
    now = timezone.now()
    is_this_week = Q(created_at__gt=now - TREND_PERIOD)
    is_in_both_weeks = Q(created_at__gt=now - 2 * TREND_PERIOD)
    keys = {key for _, key in gap_by_spelling}
    misses = Search.objects.filter(words_key__in=keys, entry=None).order_by()
    for side, key, by, person, this_week, both_weeks in misses.values_list(
        "side", "words_key", "by", "person"
    ).annotate(
        week=Count("pk", filter=is_this_week),
        weeks=Count("pk", filter=is_in_both_weeks),
    ):
        if (pk := gap_by_spelling.get((side, key))) is None:
            continue
        figures[pk].misses_this_week += this_week
        figures[pk].misses_last_week += both_weeks - this_week
        persons[pk].add(f"u{by}" if by else person)
    for pk, keys_of_persons in persons.items():
        figures[pk].person_count = len(keys_of_persons - {""})
    return figures
