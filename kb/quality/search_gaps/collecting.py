"""From searches to gaps: counted in SQL by spelling, joined by what they mean."""

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

GAP_BATCH_SPELLINGS = (
    500  # spellings in one transaction: others must be able to write between
)
LATE_PICK_PERIOD = timedelta(hours=2)  # in which what was searched may still be picked
SpellingKey = tuple[str, str]  # side and words_key
SPELLING_COUNT_COLUMNS = ("misses", "empty", "picks", "last_at")


def collect_gaps(most: int = 0) -> int:
    """Take in what was searched since the last time; return how many spellings.

    With `most`, no more than so many that are new; the rest comes next time.
    """
    since = _get_collected_until() - LATE_PICK_PERIOD
    now = timezone.now()
    keys = _list_searched_keys(since)
    known = _list_known_keys(keys) | _list_recent_keys(since)
    fresh = [key for key in keys if key not in known]
    done = fresh[:most] if most else fresh
    gaps = _GapIndex()
    for batch in _split_batches([*known, *done]):
        _update_spellings(batch, gaps)
    if len(done) == len(fresh):
        SearchGapCheckpoint.objects.update_or_create(pk=1, defaults={"upto": now})
    return len(done)


def is_collecting_overdue(after: timedelta) -> bool:
    """Tell whether nobody has gathered for so long."""
    return _get_collected_until() < timezone.now() - after


def recount_gaps() -> int:
    """Count all spellings anew, as searches are forgotten; return how many went."""
    keys = list(SearchGapSpelling.objects.values_list("side", "words_key"))
    gaps = _GapIndex()
    for batch in _split_batches(keys):
        _update_spellings(batch, gaps)
    gone = SearchGapSpelling.objects.filter(
        misses=0, picks=0, gap__status=SearchGap.Status.OPEN
    )
    count = gone.filter(gap__fell=False).delete()[0]
    empty = SearchGap.objects.filter(
        status=SearchGap.Status.OPEN, fell=False, spellings=None
    )
    return count + empty.delete()[0]


def _get_collected_until() -> datetime:
    row = SearchGapCheckpoint.objects.filter(pk=1).first()
    return row.upto if row else timezone.now() - timedelta(days=3650)


def _list_searched_keys(since: datetime) -> list[SpellingKey]:
    """Return what was searched since then, those first that most searched for."""
    rows = Search.objects.filter(created_at__gte=since).order_by()
    counted = rows.values_list("side", "words_key").annotate(n=Count("pk"))
    return [(side, key) for side, key, _ in counted.order_by("-n")]


def _list_recent_keys(since: datetime) -> set[SpellingKey]:
    """Return spellings of since then: who went on typing took his search back."""
    rows = SearchGapSpelling.objects.filter(last_at__gte=since)
    return set(rows.values_list("side", "words_key"))


def _list_known_keys(keys: Collection[SpellingKey]) -> set[SpellingKey]:
    """Return the keys that have a spelling; the others may be nobody's gap."""
    held: set[SpellingKey] = set()
    for side in SearchSide.values:
        mine = [key for s, key in keys if s == side]
        for start in range(0, len(mine), GAP_BATCH_SPELLINGS):
            found = SearchGapSpelling.objects.filter(
                side=side, words_key__in=mine[start : start + GAP_BATCH_SPELLINGS]
            )
            held |= {(side, key) for key in found.values_list("words_key", flat=True)}
    return held


def _update_spellings(keys: Collection[SpellingKey], gaps: _GapIndex) -> None:
    """Bring spellings up to date, make those that are missed, and sum up their gaps."""
    counted = _count_searches(keys)
    with transaction.atomic():
        SearchGapCheckpoint.objects.get_or_create(
            pk=1, defaults={"upto": _get_collected_until()}
        )
        SearchGapCheckpoint.objects.select_for_update().get(pk=1)  # one at a time
        rows = _load_spellings(keys)
        for key, row in rows.items():
            _set_spelling_counts(row, counted.get(key, {}))
        SearchGapSpelling.objects.bulk_update(
            rows.values(), SPELLING_COUNT_COLUMNS, batch_size=GAP_BATCH_SPELLINGS
        )
        fresh = {
            key: (gaps.find_or_make_gap(key[0], facts), facts)
            for key, facts in counted.items()
            if key not in rows
            and facts["misses"]
            and is_meaningful_search(facts["words"])
        }
        gaps.store_new_gaps()
        made = [
            SearchGapSpelling(
                gap_id=gaps.get_gap_id(gap), side=side, words_key=key, **facts
            )
            for (side, key), (gap, facts) in fresh.items()
        ]
        SearchGapSpelling.objects.bulk_create(made, batch_size=GAP_BATCH_SPELLINGS)
        _update_gap_totals({row.gap_id for row in (*rows.values(), *made)})


def _count_searches(keys: Collection[SpellingKey]) -> dict[SpellingKey, dict[str, Any]]:
    found: dict[SpellingKey, dict[str, Any]] = {}
    for side in SearchSide.values:
        mine = [key for s, key in keys if s == side]
        rows = Search.objects.filter(side=side, words_key__in=mine).order_by()
        for row in rows.values("words_key").annotate(
            said=Min("words"),
            misses=Count("pk", filter=Q(entry=None)),
            empty=Count("pk", filter=Q(entry=None, results=0)),
            picks=Count("pk", filter=Q(entry__isnull=False)),
            last_at=Max("created_at"),
        ):
            figures = {name: row[name] for name in SPELLING_COUNT_COLUMNS}  # type: ignore[literal-required]
            found[side, row["words_key"]] = {"words": row["said"], **figures}
    return found


def _load_spellings(
    keys: Collection[SpellingKey],
) -> dict[SpellingKey, SearchGapSpelling]:
    wanted = Q()
    for side in SearchSide.values:
        wanted |= Q(side=side, words_key__in=[key for s, key in keys if s == side])
    return {(r.side, r.words_key): r for r in SearchGapSpelling.objects.filter(wanted)}


def _set_spelling_counts(row: SearchGapSpelling, facts: Mapping[str, Any]) -> None:
    for name in SPELLING_COUNT_COLUMNS[:3]:
        setattr(row, name, facts.get(name, 0))
    row.last_at = facts.get("last_at") or row.last_at


class _GapIndex:
    """The gaps there are, by what they mean; read once, when the first is asked for.

    One that is not stored yet goes by a number below zero.
    """

    def __init__(self) -> None:
        self._meanings_by_side: dict[str, MeaningIndex] = {}
        self._new_gaps: dict[int, SearchGap] = {}
        self._lexicon = vocabulary.load_current_lexicon()

    def find_or_make_gap(self, side: str, facts: Mapping[str, Any]) -> int:
        """Return the number of the gap to which a spelling belongs, made if need be."""
        known = self._meanings_by_side.get(side) or self._meanings_by_side.setdefault(
            side, _load_meanings(side)
        )
        meaning = SearchMeaning.from_text(facts["words"], self._lexicon)
        if (number := known.find_same(meaning)) is not None:
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
        known.add_meaning(number, meaning)
        return number

    def store_new_gaps(self) -> None:
        new = [gap for gap in self._new_gaps.values() if gap.pk is None]
        SearchGap.objects.bulk_create(new, batch_size=GAP_BATCH_SPELLINGS)

    def get_gap_id(self, number: int) -> int:
        return number if number > 0 else self._new_gaps[number].pk


def _load_meanings(side: str) -> MeaningIndex:
    known = MeaningIndex()
    rows = SearchGap.objects.filter(side=side).values_list(
        "pk", "meaning", "sound", "told"
    )
    for pk, *told in rows:
        known.add_meaning(pk, SearchMeaning(*told))
    return known


def is_meaningful_search(words: str) -> bool:
    """Tell whether an editor could do anything about `words`."""
    letters = "".join(filter(str.isalnum, normalize.normalize_text(words)))
    return (
        len(letters) > 1
        and not letters.isdecimal()
        and words != personal_data.PERSONAL_DATA_MASK
    )


def _update_gap_totals(gap_ids: Collection[int]) -> None:
    """Let each gap have the figures of its spellings, and the words of most of them."""
    mine = SearchGapSpelling.objects.filter(gap=OuterRef("pk")).order_by()
    most = mine.order_by("-misses", "-picks", "pk").values("words")[:1]

    def sum_spelling_column(name: str) -> Any:
        summed = mine.values("gap").annotate(n=Sum(name)).values("n")
        return Coalesce(Subquery(summed), 0)

    last = mine.values("gap").annotate(n=Max("last_at")).values("n")
    for ids in _split_batches(list(gap_ids)):
        SearchGap.objects.filter(pk__in=ids).update(
            misses=sum_spelling_column("misses"),
            empty=sum_spelling_column("empty"),
            picks=sum_spelling_column("picks"),
            last_at=Coalesce(Subquery(last), F("last_at")),
            words=Coalesce(Subquery(most), F("words")),
        )


def _split_batches(items: list[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(items), GAP_BATCH_SPELLINGS):
        yield items[start : start + GAP_BATCH_SPELLINGS]
