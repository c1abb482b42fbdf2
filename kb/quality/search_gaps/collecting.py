"""Collect gaps from searches: counted in SQL by spelling, grouped by meaning."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Max, Min, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from kb.language import vocabulary
from kb.models import (
    Search,
    SearchGap,
    SearchGapCheckpoint,
    SearchGapSpelling,
    SearchSide,
)
from kb.quality.search_gaps.search_meaning import MeaningIndex, SearchMeaning
from kb.text.chinese import normalize
from kb.text.privacy import personal_data

# Per transaction, so that other processes can write in between.
GAP_BATCH_SPELLINGS = 500
LATE_PICK_PERIOD = timedelta(hours=2)  # in which a searcher may still open a result
SpellingKey = tuple[str, str]  # side, words_key
SPELLING_COUNT_COLUMNS = ("misses", "empty", "picks", "last_at")


def collect_gaps(limit: int = 0) -> int:
    """Update gaps from the searches since the last run; return how many new spellings.

    `limit` is the maximum of new spellings, 0 for none; the others wait for the next
    run.
    """
    since = _get_collected_until() - LATE_PICK_PERIOD
    now = timezone.now()
    keys = _list_searched_keys(since)
    known_keys = _list_known_keys(keys) | _list_recent_keys(since)
    new_keys = [key for key in keys if key not in known_keys]
    taken_keys = new_keys[:limit] if limit else new_keys
    gaps = _GapIndex()
    for batch in _split_batches([*known_keys, *taken_keys]):
        _update_spellings(batch, gaps)
    if len(taken_keys) == len(new_keys):
        SearchGapCheckpoint.objects.update_or_create(pk=1, defaults={"upto": now})
    return len(taken_keys)


def is_collecting_overdue(period: timedelta) -> bool:
    """Return whether the last complete collection is longer than `period` ago."""
    return _get_collected_until() < timezone.now() - period


def recount_gaps() -> int:
    """Count all spellings again after old searches were deleted.

    Returns how many spellings and open gaps were deleted because nothing is left.
    """
    keys = list(SearchGapSpelling.objects.values_list("side", "words_key"))
    gaps = _GapIndex()
    for batch in _split_batches(keys):
        _update_spellings(batch, gaps)
    unused = SearchGapSpelling.objects.filter(
        misses=0, picks=0, gap__status=SearchGap.Status.OPEN
    )
    count = unused.filter(gap__fell=False).delete()[0]
    empty_gaps = SearchGap.objects.filter(
        status=SearchGap.Status.OPEN, fell=False, spellings=None
    )
    return count + empty_gaps.delete()[0]


def _get_collected_until() -> datetime:
    """Return up to which time searches were collected; ten years ago for never."""
    row = SearchGapCheckpoint.objects.filter(pk=1).first()
    return row.upto if row else timezone.now() - timedelta(days=3650)


def _list_searched_keys(since: datetime) -> list[SpellingKey]:
    """Return the keys of searches since then, most frequent first."""
    rows = Search.objects.filter(created_at__gte=since).order_by()
    counted = rows.values_list("side", "words_key").annotate(n=Count("pk"))
    return [(side, key) for side, key, _ in counted.order_by("-n")]


def _list_recent_keys(since: datetime) -> set[SpellingKey]:
    """Return keys of spellings seen since then: typing on may have replaced a search."""
    rows = SearchGapSpelling.objects.filter(last_at__gte=since)
    return set(rows.values_list("side", "words_key"))


def _list_known_keys(keys: Collection[SpellingKey]) -> set[SpellingKey]:
    """Return those of `keys` that have a spelling already."""
    known_keys: set[SpellingKey] = set()
    for side in SearchSide.values:
        side_keys = [key for s, key in keys if s == side]
        for start in range(0, len(side_keys), GAP_BATCH_SPELLINGS):
            spellings = SearchGapSpelling.objects.filter(
                side=side, words_key__in=side_keys[start : start + GAP_BATCH_SPELLINGS]
            )
            known_keys |= {
                (side, key) for key in spellings.values_list("words_key", flat=True)
            }
    return known_keys


def _update_spellings(keys: Collection[SpellingKey], gaps: _GapIndex) -> None:
    """Update the counts of spellings, create missed ones, and sum up their gaps."""
    counts = _count_searches(keys)
    with transaction.atomic():
        SearchGapCheckpoint.objects.get_or_create(
            pk=1, defaults={"upto": _get_collected_until()}
        )
        SearchGapCheckpoint.objects.select_for_update().get(
            pk=1
        )  # one process at a time
        spellings = _load_spellings(keys)
        for key, spelling in spellings.items():
            _set_spelling_counts(spelling, counts.get(key, {}))
        SearchGapSpelling.objects.bulk_update(
            spellings.values(), SPELLING_COUNT_COLUMNS, batch_size=GAP_BATCH_SPELLINGS
        )
        missed = {
            key: (gaps.find_or_create_gap(key[0], facts), facts)
            for key, facts in counts.items()
            if key not in spellings
            and facts["misses"]
            and is_meaningful_search(facts["words"])
        }
        gaps.store_new_gaps()
        new_spellings = [
            SearchGapSpelling(
                gap_id=gaps.get_gap_id(gap), side=side, words_key=key, **facts
            )
            for (side, key), (gap, facts) in missed.items()
        ]
        SearchGapSpelling.objects.bulk_create(
            new_spellings, batch_size=GAP_BATCH_SPELLINGS
        )
        _update_gap_totals(
            {spelling.gap_id for spelling in (*spellings.values(), *new_spellings)}
        )


def _count_searches(keys: Collection[SpellingKey]) -> dict[SpellingKey, dict[str, Any]]:
    counts: dict[SpellingKey, dict[str, Any]] = {}
    for side in SearchSide.values:
        side_keys = [key for s, key in keys if s == side]
        rows = Search.objects.filter(side=side, words_key__in=side_keys).order_by()
        for row in rows.values("words_key").annotate(
            sample_words=Min("words"),
            misses=Count("pk", filter=Q(entry=None)),
            empty=Count("pk", filter=Q(entry=None, results=0)),
            picks=Count("pk", filter=Q(entry__isnull=False)),
            last_at=Max("created_at"),
        ):
            figures = {name: row[name] for name in SPELLING_COUNT_COLUMNS}  # type: ignore[literal-required]
            counts[side, row["words_key"]] = {"words": row["sample_words"], **figures}
    return counts


def _load_spellings(
    keys: Collection[SpellingKey],
) -> dict[SpellingKey, SearchGapSpelling]:
    is_wanted = Q()
    for side in SearchSide.values:
        is_wanted |= Q(side=side, words_key__in=[key for s, key in keys if s == side])
    return {
        (spelling.side, spelling.words_key): spelling
        for spelling in SearchGapSpelling.objects.filter(is_wanted)
    }


def _set_spelling_counts(spelling: SearchGapSpelling, facts: Mapping[str, Any]) -> None:
    for name in SPELLING_COUNT_COLUMNS[:3]:
        setattr(spelling, name, facts.get(name, 0))
    spelling.last_at = facts.get("last_at") or spelling.last_at


class _GapIndex:
    """All gaps by meaning; those of a side are loaded at its first look-up.

    A gap that is not saved yet has a negative number instead of its id.
    """

    def __init__(self) -> None:
        self._meanings_by_side: dict[str, MeaningIndex] = {}
        self._new_gaps: dict[int, SearchGap] = {}
        self._lexicon = vocabulary.load_current_lexicon()

    def find_or_create_gap(self, side: str, facts: Mapping[str, Any]) -> int:
        """Return the number of the gap with the meaning of a spelling, new if need be."""
        meanings = self._meanings_by_side.get(
            side
        ) or self._meanings_by_side.setdefault(side, _load_meanings(side))
        meaning = SearchMeaning.from_text(facts["words"], self._lexicon)
        if (number := meanings.find_same(meaning)) is not None:
            return number
        number = -len(self._new_gaps) - 1
        self._new_gaps[number] = SearchGap(
            words=facts["words"],
            side=side,
            meaning=meaning.words_digest,
            sound=meaning.sound_digest,
            told=meaning.content_chars,
            last_at=facts["last_at"],
        )
        meanings.add_meaning(number, meaning)
        return number

    def store_new_gaps(self) -> None:
        new = [gap for gap in self._new_gaps.values() if gap.pk is None]
        SearchGap.objects.bulk_create(new, batch_size=GAP_BATCH_SPELLINGS)

    def get_gap_id(self, number: int) -> int:
        return number if number > 0 else self._new_gaps[number].pk


def _load_meanings(side: str) -> MeaningIndex:
    meanings = MeaningIndex()
    rows = SearchGap.objects.filter(side=side).values_list(
        "pk", "meaning", "sound", "told"
    )
    for pk, *parts in rows:
        meanings.add_meaning(pk, SearchMeaning(*parts))
    return meanings


def is_meaningful_search(words: str) -> bool:
    """Return whether `words` could be a question: not one letter, a number or a mask."""
    letters = "".join(filter(str.isalnum, normalize.normalize_text(words)))
    return (
        len(letters) > 1
        and not letters.isdecimal()
        and words != personal_data.PERSONAL_DATA_MASK
    )


def _update_gap_totals(gap_ids: Collection[int]) -> None:
    """Set the totals of gaps from their spellings, and the most frequent words."""
    spellings = SearchGapSpelling.objects.filter(gap=OuterRef("pk")).order_by()
    most_frequent_words = spellings.order_by("-misses", "-picks", "pk").values("words")[
        :1
    ]

    def sum_spelling_column(name: str) -> Any:
        sums = spellings.values("gap").annotate(n=Sum(name)).values("n")
        return Coalesce(Subquery(sums), 0)

    last_searched = spellings.values("gap").annotate(n=Max("last_at")).values("n")
    for ids in _split_batches(list(gap_ids)):
        SearchGap.objects.filter(pk__in=ids).update(
            misses=sum_spelling_column("misses"),
            empty=sum_spelling_column("empty"),
            picks=sum_spelling_column("picks"),
            last_at=Coalesce(Subquery(last_searched), F("last_at")),
            words=Coalesce(Subquery(most_frequent_words), F("words")),
        )


def _split_batches(items: list[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(items), GAP_BATCH_SPELLINGS):
        yield items[start : start + GAP_BATCH_SPELLINGS]
