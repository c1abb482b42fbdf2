"""Record searches, each once, however many requests its typing caused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from kb.models import Entry, Reader, Search, SearchSide
from kb.system import write_queue
from kb.text.chinese import normalize, pinyin
from kb.usage.masking import mask_words

# An entry that is opened within this time counts as the result of the search.
OPENED_AFTER_SEARCH_PERIOD = timedelta(hours=1)
# A longer query within this time replaces the search that it continues.
SAME_TYPING_PERIOD = timedelta(seconds=20)


def get_search_side(user: Reader) -> SearchSide:
    """Return on which side `user` searches; their evidence is kept apart."""
    is_staff = user.is_authenticated and user.can_read_library
    return SearchSide.STAFF if is_staff else SearchSide.PUBLIC


def record_search(
    words: str,
    *,
    user: Reader,
    results: int,
    entry: Entry | None = None,
    rank: int | None = None,
    person: str = "",
) -> None:
    """Record a search for `words`. Never raises and never waits."""
    columns = _build_search_columns(
        words, user, person, results=results, entry=entry, rank=rank
    )
    if columns["words"]:
        write_queue.enqueue_write(lambda: Search(**columns).save())


def record_typed_search(
    words: str, *, user: Reader, results: int, person: str = ""
) -> None:
    """Record a search of a client that searches while its user types.

    A search that continues the previous one replaces it, so that typing a word counts
    as one search. Never raises and never waits.
    """
    columns = _build_search_columns(words, user, person, results=results)
    if columns["words"]:
        write_queue.enqueue_write(lambda: _save_or_replace_search(Search(**columns)))


def record_opened_entry(
    words: str, *, entry_id: int, person: str = "", user: Reader
) -> None:
    """Record that an entry was opened after a search. Never raises and never waits."""
    columns = _build_search_columns(words, user, person)
    now: datetime = columns["created_at"]
    searches = Search.objects.filter(
        words_key=normalize.compute_spelling_key(columns["words"]),
        side=columns["side"],
        by=columns["by"],
        entry=None,
        results__gt=0,
        created_at__gt=now - OPENED_AFTER_SEARCH_PERIOD,
    )
    if columns["side"] == SearchSide.PUBLIC:
        searches = searches.filter(person=person)

    def write_opened_entry() -> None:
        # The search itself may still be in the write queue of another process.
        if not _set_opened_entry(searches, entry_id):
            write_queue.enqueue_delayed_write(
                lambda: _set_opened_entry(searches, entry_id)
            )

    write_queue.enqueue_write(write_opened_entry)


def _set_opened_entry(searches: QuerySet[Search], entry_id: int) -> int:
    exists = Entry.objects.filter(pk=entry_id).exists()
    return searches.update(entry_id=entry_id) if exists else 0


def _build_search_columns(
    words: str, user: Reader, person: str, **columns: Any
) -> dict[str, Any]:
    """Return the columns of a Search at the current time."""
    side = get_search_side(user)
    by = user if side == SearchSide.STAFF else None
    return {
        "words": mask_words(words),
        "side": side,
        "by": by,
        "person": "" if by else person,
        "created_at": timezone.now(),
        **columns,
    }


def _save_or_replace_search(search: Search) -> None:
    """Save `search` in place of the recent one that it continues, if any.

    A program may search for many people with one key, so only words of which one
    begins the other, within SAME_TYPING_PERIOD, count as the typing of one person.
    """
    recent = Search.objects.filter(
        side=search.side, by=search.by, person=search.person, entry=None
    ).filter(created_at__gt=search.created_at - SAME_TYPING_PERIOD)
    previous = recent.order_by("-created_at", "-pk").first()
    if previous and _is_continuation(previous.words, search.words):
        search.pk = previous.pk
    search.save()


def _is_continuation(previous: str, current: str) -> bool:
    """Return whether one of two texts begins the other, in characters or in pinyin."""
    normalized = [
        normalize.normalize_text(text).replace(" ", "") for text in (previous, current)
    ]
    syllables = ["".join(pinyin.list_syllables(text)) for text in normalized]
    return any(a.startswith(b) or b.startswith(a) for a, b in (normalized, syllables))
