"""Evidence: the roll-up of picks per entry, side and query, with its level.

`evidence_levels` has the formulas. Aging is not stored: `refresh_evidence` computes all
levels again every day and marks entries of another level for the index.
"""

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
from kb.usage import copies
from kb.usage.evidence_levels import (
    PICK_RETENTION,
    boost_by_evidence,
    compute_evidence_level,
    get_person_origin,
)

EvidenceKey = tuple[int, str, str]  # the values of EVIDENCE_KEY_COLUMNS
EVIDENCE_KEY_COLUMNS = ("entry_id", "side", "words_key")
LEARNED_WORDS_SQL = """
    SELECT entry_id, words_key, words, level FROM kb_evidence
    WHERE side = %s AND level >= 1 AND (words_key = %s OR entry_id IN ({}))
    ORDER BY level DESC, id
"""
# A setting of 0 days means that searches are never deleted.
SEARCH_RETENTION = timedelta(days=settings.KB_RETENTION_DAYS["searches"] or 36_500)
EVIDENCE_BATCH_ROWS = 200  # per transaction


@transaction.atomic
def update_evidence(keys: Iterable[EvidenceKey]) -> None:
    """Update these rows; entries whose level changed are marked for the index."""
    sync.mark_stale({key[0] for key in keys if _update_evidence_row(*key)})


def _update_evidence_row(entry_id: int, side: str, words_key: str) -> bool:
    """Update one row from its picks; return whether its level changed.

    A row of level 0 is deleted, unless its words were refused as a phrasing.
    """
    key = {"entry_id": entry_id, "side": side, "words_key": words_key}
    picks = list(Pick.objects.filter(**key).order_by("pk"))
    level = compute_evidence_level(
        ((p.person, p.created_at) for p in picks), now=timezone.now()
    )
    row = Evidence.objects.filter(**key).first()
    old_level = row.level if row else 0
    if level or (row and row.refused):
        row = row or Evidence(**key, words=picks[0].words)
        row.level, row.people = level, len({get_person_origin(p.person) for p in picks})
        row.save()
    elif row:
        row.delete()
    return level != old_level


def refresh_evidence() -> tuple[int, int]:
    """Delete old usage and update aged evidence; return (levels changed, rows deleted)."""
    old = delete_old_usage()
    return update_aged_evidence(), old


def update_aged_evidence() -> int:
    """Compute all levels for the current time; return how many rows changed.

    Autocomplete ranks by the remaining picks.
    """
    stored_levels = _load_stored_levels()
    current_levels = _compute_current_levels()
    changed = [
        key
        for key in stored_levels | current_levels
        if stored_levels.get(key, 0) != current_levels.get(key, 0)
    ]
    for start in range(0, len(changed), EVIDENCE_BATCH_ROWS):
        update_evidence(changed[start : start + EVIDENCE_BATCH_ROWS])
    counted = Pick.objects.order_by().values_list("entry_id").annotate(Count("pk"))
    autocomplete.update_use_counts(dict(counted))
    return len(changed)


def delete_old_usage() -> int:
    """Delete old searches and picks and erase old words; return how many rows.

    Searches and the words of copies live for SEARCH_RETENTION, picks for
    PICK_RETENTION.
    """
    now = timezone.now()
    count = _delete_in_batches(
        Search.objects.filter(created_at__lt=now - SEARCH_RETENTION)
    )
    count += _delete_in_batches(
        Pick.objects.filter(created_at__lt=now - PICK_RETENTION)
    )
    return count + copies.erase_copied_words(now - SEARCH_RETENTION)


def _delete_in_batches(rows: QuerySet[Any]) -> int:
    """Delete `rows` in batches, so that other processes can write in between."""
    count = 0
    while ids := list(
        rows.order_by("pk").values_list("pk", flat=True)[:EVIDENCE_BATCH_ROWS]
    ):
        count += rows.filter(pk__in=ids).delete()[0]
    return count


class LearnedWords:
    """Levels and wordings of evidence on one side for one search, in one SQL query."""

    def __init__(self, words_key: str, side: SearchSide) -> None:
        """Take the spelling key of the words (`normalize.compute_spelling_key`)."""
        self._key, self._side = words_key, side
        self._words: dict[int, list[str]] = {}

    def boost_scores(self, scores: Mapping[int, float], depth: int) -> dict[int, float]:
        """Return {entry id: score} raised by picks after exactly these words, best first.

        The result may contain entries that are not in `scores`; the caller checks who
        may read them. For the first `depth` entries all their wordings are loaded, for
        `list_wordings`.
        """
        top_ids = list(scores)[:depth]
        rows = raw_sql.fetch_rows(
            LEARNED_WORDS_SQL.format(raw_sql.format_placeholders(top_ids)),
            (self._side, self._key, *top_ids),
        )
        levels: dict[int, int] = {}
        for entry, key, words, level in rows:
            self._words.setdefault(entry, []).append(words)
            if key == self._key:
                levels[entry] = level
        return boost_by_evidence(scores, levels) if levels else dict(scores)

    def list_wordings(self, entry: int) -> list[str]:
        """Return words after which people of this side picked an entry, strongest first."""
        return self._words.get(entry, [])[: documents.MAX_LEARNED_WORDINGS]


def _load_stored_levels() -> dict[EvidenceKey, int]:
    rows = Evidence.objects.order_by()
    return {
        tuple(key): n for *key, n in rows.values_list(*EVIDENCE_KEY_COLUMNS, "level")
    }


def _compute_current_levels() -> dict[EvidenceKey, int]:
    now = timezone.now()
    rows = Pick.objects.order_by(*EVIDENCE_KEY_COLUMNS).values_list(
        *EVIDENCE_KEY_COLUMNS, "person", "created_at"
    )
    return {
        key: compute_evidence_level(
            ((person, moment) for *_, person, moment in picks), now=now
        )
        for key, picks in groupby(rows.iterator(), key=lambda row: row[:3])
    }
