"""How often gaps were searched for, by how many, and whether it is getting worse."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from kb.models import Search, SearchGap, SearchGapSpelling

TREND_PERIOD = timedelta(days=7)


@dataclass(slots=True)
class GapFigures:
    """Of 90 days: spellings, people as far as they can be told, and two weeks."""

    spellings: list[str] = field(default_factory=list)
    person_count: int = 0
    misses_this_week: int = 0  # searches without a pick in the last seven days
    misses_last_week: int = 0  # and in the seven before

    @property
    def trend(self) -> int:
        return self.misses_this_week - self.misses_last_week


def get_gap_figures(gaps: Collection[SearchGap]) -> dict[int, GapFigures]:
    """Return {gap: figures}, in two queries for however many gaps."""
    found = {gap.pk: GapFigures() for gap in gaps}
    owner: dict[tuple[str, str], int] = {}
    for row in SearchGapSpelling.objects.filter(gap__in=found):
        owner[row.side, row.words_key] = row.gap_id
        found[row.gap_id].spellings.append(row.words)
    people: dict[int, set[str]] = {pk: set() for pk in found}
    now = timezone.now()
    this, last = (
        Q(created_at__gt=now - TREND_PERIOD),
        Q(created_at__gt=now - 2 * TREND_PERIOD),
    )
    keys = {key for _, key in owner}
    missed = Search.objects.filter(words_key__in=keys, entry=None).order_by()
    for side, key, by, person, week, weeks in missed.values_list(
        "side", "words_key", "by", "person"
    ).annotate(week=Count("pk", filter=this), weeks=Count("pk", filter=last)):
        if (pk := owner.get((side, key))) is None:
            continue
        found[pk].misses_this_week += week
        found[pk].misses_last_week += weeks - week
        people[pk].add(f"u{by}" if by else person)
    for pk, who in people.items():
        found[pk].person_count = len(who - {""})
    return found
