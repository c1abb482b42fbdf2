"""Find entries by what agents type instead of words: a number or a short code."""

from __future__ import annotations

import re

from kb.models import Entry, EntryQuerySet, User
from kb.search.scope import SearchFilters
from kb.text.chinese import normalize

MIN_SHORT_CODE_CHARS, MAX_SHORT_CODE_CHARS = 2, 20
MAX_CODE_MATCHES = 20  # entries
ENTRY_NUMBER_PATTERN = re.compile(r"[#＃]?\s*([0-9]{1,9})")


def query_filtered_entries(filters: SearchFilters, *, user: User) -> EntryQuerySet:
    """Return the published entries within `filters`, with their categories."""
    entries = filters.filter_entries(Entry.objects.published_to(user), user)
    return entries.select_related("category")


def find_entries_by_code(
    text: str, *, filters: SearchFilters, user: User
) -> list[Entry]:
    """Return the entries whose number or short code is exactly `text`.

    A short code is one of the words in `Entry.keywords`.
    """
    entries = query_filtered_entries(filters, user=user)
    if number := ENTRY_NUMBER_PATTERN.fullmatch(text):
        return list(entries.filter(pk=int(number[1])))
    code = normalize.normalize_text(text)
    if not MIN_SHORT_CODE_CHARS <= len(code) <= MAX_SHORT_CODE_CHARS or " " in code:
        return []
    candidates = entries.filter(keywords__icontains=text)[:MAX_CODE_MATCHES]
    return [
        entry
        for entry in candidates
        if code in map(normalize.normalize_text, entry.keywords.split())
    ]
