"""From searches to gaps: counted in SQL by spelling, joined by what they mean."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Max, Min, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from kb import vocabulary
from kb.gaps.meaning import Known, Meaning
from kb.models import Gap, GapSpelling, Gathered, Search, Side
from kb.text import normalize, personal

BATCH = 500  # spellings in one transaction: others must be able to write between
BACK = timedelta(hours=2)  # in which what was searched may still be picked
Key = tuple[str, str]  # side and words_key
FIGURES = ("misses", "empty", "picks", "last_at")


def gather(most: int = 0) -> int:
    """Take in what was searched since the last time; return how many spellings.

    With `most`, no more than so many that are new; the rest comes next time.
    """
    since = _upto() - BACK
    now = timezone.now()
    keys = _searched(since)
    known = _known(keys) | _lately(since)
    fresh = [key for key in keys if key not in known]
    done = fresh[:most] if most else fresh
    gaps = _Gaps()
    for batch in _batches([*known, *done]):
        _count(batch, gaps)
    if len(done) == len(fresh):
        Gathered.objects.update_or_create(pk=1, defaults={"upto": now})
    return len(done)


def late(after: timedelta) -> bool:
    """Tell whether nobody has gathered for so long."""
    return _upto() < timezone.now() - after


def tidy() -> int:
    """Count all spellings anew, as searches are forgotten; return how many went."""
    keys = list(GapSpelling.objects.values_list("side", "words_key"))
    gaps = _Gaps()
    for batch in _batches(keys):
        _count(batch, gaps)
    gone = GapSpelling.objects.filter(misses=0, picks=0, gap__status=Gap.Status.OPEN)
    count = gone.filter(gap__fell=False).delete()[0]
    empty = Gap.objects.filter(status=Gap.Status.OPEN, fell=False, spellings=None)
    return count + empty.delete()[0]


def _upto() -> datetime:
    row = Gathered.objects.filter(pk=1).first()
    return row.upto if row else timezone.now() - timedelta(days=3650)


def _searched(since: datetime) -> list[Key]:
    """Return what was searched since then, those first that most searched for."""
    rows = Search.objects.filter(created_at__gte=since).order_by()
    counted = rows.values_list("side", "words_key").annotate(n=Count("pk"))
    return [(side, key) for side, key, _ in counted.order_by("-n")]


def _lately(since: datetime) -> set[Key]:
    """Return spellings of since then: who went on typing took his search back."""
    rows = GapSpelling.objects.filter(last_at__gte=since)
    return set(rows.values_list("side", "words_key"))


def _known(keys: Collection[Key]) -> set[Key]:
    """Return the keys that have a spelling; the others may be nobody's gap."""
    held: set[Key] = set()
    for side in Side.values:
        mine = [key for s, key in keys if s == side]
        for start in range(0, len(mine), BATCH):
            found = GapSpelling.objects.filter(
                side=side, words_key__in=mine[start : start + BATCH]
            )
            held |= {(side, key) for key in found.values_list("words_key", flat=True)}
    return held


def _count(keys: Collection[Key], gaps: _Gaps) -> None:
    """Bring spellings up to date, make those that are missed, and sum up their gaps."""
    counted = _counted(keys)
    with transaction.atomic():
        Gathered.objects.get_or_create(pk=1, defaults={"upto": _upto()})
        Gathered.objects.select_for_update().get(pk=1)  # one at a time
        rows = _rows(keys)
        for key, row in rows.items():
            _set(row, counted.get(key, {}))
        GapSpelling.objects.bulk_update(rows.values(), FIGURES, batch_size=BATCH)
        fresh = {
            key: (gaps.of(key[0], facts), facts)
            for key, facts in counted.items()
            if key not in rows and facts["misses"] and says_something(facts["words"])
        }
        gaps.store()
        made = [
            GapSpelling(gap_id=gaps.id(gap), side=side, words_key=key, **facts)
            for (side, key), (gap, facts) in fresh.items()
        ]
        GapSpelling.objects.bulk_create(made, batch_size=BATCH)
        _sum_up({row.gap_id for row in (*rows.values(), *made)})


def _counted(keys: Collection[Key]) -> dict[Key, dict[str, Any]]:
    found: dict[Key, dict[str, Any]] = {}
    for side in Side.values:
        mine = [key for s, key in keys if s == side]
        rows = Search.objects.filter(side=side, words_key__in=mine).order_by()
        for row in rows.values("words_key").annotate(
            said=Min("words"),
            misses=Count("pk", filter=Q(entry=None)),
            empty=Count("pk", filter=Q(entry=None, results=0)),
            picks=Count("pk", filter=Q(entry__isnull=False)),
            last_at=Max("created_at"),
        ):
            figures = {name: row[name] for name in FIGURES}  # type: ignore[literal-required]
            found[side, row["words_key"]] = {"words": row["said"], **figures}
    return found


def _rows(keys: Collection[Key]) -> dict[Key, GapSpelling]:
    wanted = Q()
    for side in Side.values:
        wanted |= Q(side=side, words_key__in=[key for s, key in keys if s == side])
    return {(r.side, r.words_key): r for r in GapSpelling.objects.filter(wanted)}


def _set(row: GapSpelling, facts: Mapping[str, Any]) -> None:
    for name in FIGURES[:3]:
        setattr(row, name, facts.get(name, 0))
    row.last_at = facts.get("last_at") or row.last_at


class _Gaps:
    """The gaps there are, by what they mean; read once, when the first is asked for.

    One that is not stored yet goes by a number below zero.
    """

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._made: dict[int, Gap] = {}
        self._lexicon = vocabulary.in_force()

    def of(self, side: str, facts: Mapping[str, Any]) -> int:
        """Return the number of the gap to which a spelling belongs, made if need be."""
        known = self._known.get(side) or self._known.setdefault(side, _read(side))
        meaning = Meaning.of(facts["words"], self._lexicon)
        if (number := known.find(meaning)) is not None:
            return number
        number = -len(self._made) - 1
        self._made[number] = Gap(
            words=facts["words"],
            side=side,
            meaning=meaning.words,
            sound=meaning.sound,
            told=meaning.told,
            last_at=facts["last_at"],
        )
        known.add(number, meaning)
        return number

    def store(self) -> None:
        new = [gap for gap in self._made.values() if gap.pk is None]
        Gap.objects.bulk_create(new, batch_size=BATCH)

    def id(self, number: int) -> int:
        return number if number > 0 else self._made[number].pk


def _read(side: str) -> Known:
    known = Known()
    rows = Gap.objects.filter(side=side).values_list("pk", "meaning", "sound", "told")
    for pk, *told in rows:
        known.add(pk, Meaning(*told))
    return known


def says_something(words: str) -> bool:
    """Tell whether an editor could do anything about `words`."""
    letters = "".join(filter(str.isalnum, normalize.normalize(words)))
    return len(letters) > 1 and not letters.isdecimal() and words != personal.MASK


def _sum_up(gap_ids: Collection[int]) -> None:
    """Let each gap have the figures of its spellings, and the words of most of them."""
    mine = GapSpelling.objects.filter(gap=OuterRef("pk")).order_by()
    most = mine.order_by("-misses", "-picks", "pk").values("words")[:1]

    def total(name: str) -> Any:
        summed = mine.values("gap").annotate(n=Sum(name)).values("n")
        return Coalesce(Subquery(summed), 0)

    last = mine.values("gap").annotate(n=Max("last_at")).values("n")
    for ids in _batches(list(gap_ids)):
        Gap.objects.filter(pk__in=ids).update(
            misses=total("misses"),
            empty=total("empty"),
            picks=total("picks"),
            last_at=Coalesce(Subquery(last), F("last_at")),
            words=Coalesce(Subquery(most), F("words")),
        )


def _batches(items: list[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
