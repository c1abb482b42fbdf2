"""The roll-up of picks: for how much the words of several persons count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from kb import documents, index, typeahead
from kb.feedback import copies
from kb.feedback.weighing import GONE, level, origin, raised
from kb.models import Evidence, Pick, Search, Side, plain
from kb.text import normalize

Key = tuple[int, str, str]  # of evidence: entry, side, words
TOLD = """
    SELECT entry_id, words_key, words, level FROM kb_evidence
    WHERE side = %s AND level >= 1 AND (words_key = %s OR entry_id IN ({}))
    ORDER BY level DESC, id
"""
# For which searches are kept; 36,500 days is for ever.
RETENTION = timedelta(days=settings.KB_RETENTION_DAYS["searches"] or 36_500)
BATCH = 200  # rows in one transaction


def weigh(entry_id: int, side: str, words_key: str) -> None:
    """Bring one row up to date; only another level concerns the index."""
    weigh_all([(entry_id, side, words_key)])


@transaction.atomic
def weigh_all(keys: Iterable[Key]) -> None:
    """Bring these rows up to date, and mark the entries of other levels at once."""
    index.mark({key[0] for key in keys if _weigh_row(*key)})


def _weigh_row(entry_id: int, side: str, words_key: str) -> bool:
    """Bring one row up to date; return whether its level is another one."""
    about = {"entry_id": entry_id, "side": side, "words_key": words_key}
    picks = list(Pick.objects.filter(**about).order_by("pk"))
    now = level(((p.person, p.created_at) for p in picks), now=timezone.now())
    row = Evidence.objects.filter(**about).first()
    before = row.level if row else 0
    if now or (row and row.refused):
        row = row or Evidence(**about, words=picks[0].words)
        row.level, row.people = now, len({origin(p.person) for p in picks})
        row.save()
    elif row:
        row.delete()
    return now != before


def learn() -> tuple[int, int]:
    """Let all evidence age, and forget what is old; return how many rows of each."""
    old = forget()
    return age(), old


def age() -> int:
    """Let all evidence age; return how many rows have another level now.

    Typeahead ranks by the picks that are left.
    """
    held = _levels_held()
    fresh = _levels_now()
    changed = [key for key in held | fresh if held.get(key, 0) != fresh.get(key, 0)]
    for start in range(0, len(changed), BATCH):
        weigh_all(changed[start : start + BATCH])
    counted = Pick.objects.order_by().values_list("entry_id").annotate(Count("pk"))
    typeahead.tally(dict(counted))
    return len(changed)


def forget() -> int:
    """Remove what says nothing any more; return how many rows that concerned.

    Searches and the words of copies go after RETENTION, picks after GONE.
    """
    now = timezone.now()
    old = _delete(Search.objects.filter(created_at__lt=now - RETENTION))
    old += _delete(Pick.objects.filter(created_at__lt=now - GONE))
    return old + copies.forget(now - RETENTION)


def _delete(rows: QuerySet[Any]) -> int:
    """Delete `rows` in batches, so that others may write between."""
    count = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        count += rows.filter(pk__in=ids).delete()[0]
    return count


class Learned:
    """What `side` picked after `words`, and after others: one query for a search."""

    def __init__(self, words: str, side: Side) -> None:
        self._key, self._side = normalize.key(words), side
        self._words: dict[int, list[str]] = {}

    def raised(self, scores: Mapping[int, float], deep: int) -> dict[int, float]:
        """Return {id: score} anew, best first: raised by picks after these very words.

        Entries come in that were not found; the caller knows who may read them.
        Of the first `deep` all words are read that led there.
        """
        near = list(scores)[:deep]
        told = plain.rows(
            TOLD.format(plain.places(near)), (self._side, self._key, *near)
        )
        levels: dict[int, int] = {}
        for entry, key, words, strength in told:
            self._words.setdefault(entry, []).append(words)
            if key == self._key:
                levels[entry] = strength
        return raised(scores, levels) if levels else dict(scores)

    def wordings(self, entry: int) -> list[str]:
        """Return words that led people of the side to an entry that was raised or found."""
        return self._words.get(entry, [])[: documents.MOST_LEARNED]


def _levels_held() -> dict[Key, int]:
    rows = Evidence.objects.order_by()
    return {tuple(key): n for *key, n in rows.values_list(*_KEY, "level")}


def _levels_now() -> dict[Key, int]:
    now = timezone.now()
    rows = Pick.objects.order_by(*_KEY).values_list(*_KEY, "person", "created_at")
    return {
        key: level(((person, moment) for *_, person, moment in picks), now=now)
        for key, picks in groupby(rows.iterator(), key=lambda row: row[:3])
    }


_KEY = ("entry_id", "side", "words_key")
