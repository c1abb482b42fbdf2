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

from kb.index import autocomplete, documents, sync
from kb.models import Evidence, Pick, Search, SearchSide
from kb.system.database import raw_sql
from kb.text.chinese import normalize
from kb.usage import copies
from kb.usage.evidence_levels import (
    PICK_RETENTION,
    boost_by_evidence,
    compute_evidence_level,
    get_person_origin,
)

EvidenceKey = tuple[int, str, str]  # of evidence: entry, side, words
LEARNED_WORDS_SQL = """
    SELECT entry_id, words_key, words, level FROM kb_evidence
    WHERE side = %s AND level >= 1 AND (words_key = %s OR entry_id IN ({}))
    ORDER BY level DESC, id
"""
# For which searches are kept; 36,500 days is for ever.
SEARCH_RETENTION = timedelta(days=settings.KB_RETENTION_DAYS["searches"] or 36_500)
EVIDENCE_BATCH_ROWS = 200  # rows in one transaction


def update_evidence_for(entry_id: int, side: str, words_key: str) -> None:
    """Bring one row up to date; only another level concerns the index."""
    update_evidence([(entry_id, side, words_key)])


@transaction.atomic
def update_evidence(keys: Iterable[EvidenceKey]) -> None:
    """Bring these rows up to date, and mark the entries of other levels at once."""
    sync.mark_stale({key[0] for key in keys if _update_evidence_row(*key)})


def _update_evidence_row(entry_id: int, side: str, words_key: str) -> bool:
    """Bring one row up to date; return whether its level is another one."""
    about = {"entry_id": entry_id, "side": side, "words_key": words_key}
    picks = list(Pick.objects.filter(**about).order_by("pk"))
    now = compute_evidence_level(
        ((p.person, p.created_at) for p in picks), now=timezone.now()
    )
    row = Evidence.objects.filter(**about).first()
    before = row.level if row else 0
    if now or (row and row.refused):
        row = row or Evidence(**about, words=picks[0].words)
        row.level, row.people = now, len({get_person_origin(p.person) for p in picks})
        row.save()
    elif row:
        row.delete()
    return now != before


def refresh_evidence() -> tuple[int, int]:
    """Let all evidence age, and forget what is old; return how many rows of each."""
    old = delete_old_usage()
    return update_aged_evidence(), old


def update_aged_evidence() -> int:
    """Let all evidence age; return how many rows have another level now.

    Typeahead ranks by the picks that are left.
    """
    held = _load_stored_levels()
    fresh = _compute_current_levels()
    changed = [key for key in held | fresh if held.get(key, 0) != fresh.get(key, 0)]
    for start in range(0, len(changed), EVIDENCE_BATCH_ROWS):
        update_evidence(changed[start : start + EVIDENCE_BATCH_ROWS])
    counted = Pick.objects.order_by().values_list("entry_id").annotate(Count("pk"))
    autocomplete.update_use_counts(dict(counted))
    return len(changed)


def delete_old_usage() -> int:
    """Remove what says nothing any more; return how many rows that concerned.

    Searches and the words of copies go after RETENTION, picks after GONE.
    """
    now = timezone.now()
    old = _delete_in_batches(
        Search.objects.filter(created_at__lt=now - SEARCH_RETENTION)
    )
    old += _delete_in_batches(Pick.objects.filter(created_at__lt=now - PICK_RETENTION))
    return old + copies.erase_copied_words(now - SEARCH_RETENTION)


def _delete_in_batches(rows: QuerySet[Any]) -> int:
    """Delete `rows` in batches, so that others may write between."""
    count = 0
    while ids := list(
        rows.order_by("pk").values_list("pk", flat=True)[:EVIDENCE_BATCH_ROWS]
    ):
        count += rows.filter(pk__in=ids).delete()[0]
    return count


class LearnedWords:
    """What `side` picked after `words`, and after others: one query for a search."""

    def __init__(self, words: str, side: SearchSide) -> None:
        self._key, self._side = normalize.compute_spelling_key(words), side
        self._words: dict[int, list[str]] = {}

    def boost_scores(self, scores: Mapping[int, float], deep: int) -> dict[int, float]:
        """Return {id: score} anew, best first: raised by picks after these very words.

        Entries come in that were not found; the caller knows who may read them.
        Of the first `deep` all words are read that led there.
        """
        near = list(scores)[:deep]
        told = raw_sql.fetch_rows(
            LEARNED_WORDS_SQL.format(raw_sql.format_placeholders(near)),
            (self._side, self._key, *near),
        )
        levels: dict[int, int] = {}
        for entry, key, words, strength in told:
            self._words.setdefault(entry, []).append(words)
            if key == self._key:
                levels[entry] = strength
        return boost_by_evidence(scores, levels) if levels else dict(scores)

    def list_wordings(self, entry: int) -> list[str]:
        """Return words that led people of the side to an entry that was raised or found."""
        return self._words.get(entry, [])[: documents.MAX_LEARNED_WORDINGS]


def _load_stored_levels() -> dict[EvidenceKey, int]:
    rows = Evidence.objects.order_by()
    return {
        tuple(key): n for *key, n in rows.values_list(*_EVIDENCE_KEY_COLUMNS, "level")
    }


def _compute_current_levels() -> dict[EvidenceKey, int]:
    now = timezone.now()
    rows = Pick.objects.order_by(*_EVIDENCE_KEY_COLUMNS).values_list(
        *_EVIDENCE_KEY_COLUMNS, "person", "created_at"
    )
    return {
        key: compute_evidence_level(
            ((person, moment) for *_, person, moment in picks), now=now
        )
        for key, picks in groupby(rows.iterator(), key=lambda row: row[:3])
    }


_EVIDENCE_KEY_COLUMNS = ("entry_id", "side", "words_key")
