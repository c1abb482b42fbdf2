"""Entries that may answer a question, and the personal data in its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from kb import search
from kb.models import Entry, User, prefetch_shared_replies
from kb.text.privacy import personal_data

MAX_SIMILAR_ENTRIES = 5  # entries that a digit can choose


@dataclass(frozen=True, slots=True)
class SimilarEntries:
    """Entries, the most similar first."""

    entries: Sequence[Entry]
    is_degraded: bool = False  # without the engine only titles were compared


def find_similar_entries(
    text: str, *, user: User, limit: int = MAX_SIMILAR_ENTRIES
) -> SimilarEntries:
    """Return the entries most similar to `text`, drafts too, with shared replies.

    Without the engine only the titles of published entries are compared.
    """
    hits = search.find_similar_entries(text, user=user, limit=limit)
    is_degraded = False
    if not hits:
        results = search.search_entries(text, user=user, limit=limit)
        hits, is_degraded = results.hits, results.is_degraded
    entries = [hit.entry for hit in hits]
    prefetch_related_objects(entries, prefetch_shared_replies())
    return SimilarEntries(entries, is_degraded)


def list_personal_data_kinds(text: str) -> list[str]:
    """Return the kinds of personal data in `text`, each once.

    Data that was masked when the text came in has no kind of its own.
    """
    matches = personal_data.find_personal_data(text)
    kinds: dict[str, None] = dict.fromkeys(match.kind for match in matches)
    if personal_data.PERSONAL_DATA_MASK in text:
        kinds["其他个人信息" if kinds else "个人信息"] = None
    return list(kinds)
