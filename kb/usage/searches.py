"""Searches are kept as rows, each once, however its words came to be typed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from kb.models import Entry, Reader, Search, SearchSide
from kb.system import write_queue
from kb.text.chinese import normalize, pinyin
from kb.usage.masking import mask_words

OPENED_AFTER_SEARCH_PERIOD = timedelta(
    hours=1
)  # after a search within which an entry is what it led to
# Between two searches of which one goes on from the other.
SAME_TYPING_PERIOD = timedelta(seconds=20)


def get_search_side(user: Reader) -> SearchSide:
    """Return on which side `user` searches, which is what he may match on."""
    inside = user.is_authenticated and user.can_read_library
    return SearchSide.STAFF if inside else SearchSide.PUBLIC


def record_search(
    words: str,
    *,
    user: Reader,
    results: int,
    entry: Entry | None = None,
    rank: int | None = None,
    person: str = "",
) -> None:
    """Keep that `words` were searched for. Never raises, never waits."""
    row = _build_search_columns(
        words, user, person, results=results, entry=entry, rank=rank
    )
    if row["words"]:
        write_queue.enqueue_write(lambda: Search(**row).save())


def record_typed_search(
    words: str, *, user: Reader, results: int, person: str = ""
) -> None:
    """Keep what was searched for where nobody says when the words are whole.

    What goes on from the search before takes its place, so that somebody is
    counted once however many letters he typed. Never raises, never waits.
    """
    row = _build_search_columns(words, user, person, results=results)
    if row["words"]:
        write_queue.enqueue_write(lambda: _save_or_replace_search(Search(**row)))


def record_opened_entry(
    words: str, *, entry_id: int, person: str = "", user: Reader
) -> None:
    """Keep that somebody opened an entry after `words`. Never raises, never waits."""
    row = _build_search_columns(words, user, person)
    moment: datetime = row["created_at"]
    rows = Search.objects.filter(
        words_key=normalize.compute_spelling_key(row["words"]),
        side=row["side"],
        by=row["by"],
        entry=None,
        results__gt=0,
        created_at__gt=moment - OPENED_AFTER_SEARCH_PERIOD,
    )
    if row["side"] == SearchSide.PUBLIC:
        rows = rows.filter(person=person)

    def write_opened_entry() -> None:
        if not _set_opened_entry(
            rows, entry_id
        ):  # another process may have the search yet
            write_queue.enqueue_delayed_write(lambda: _set_opened_entry(rows, entry_id))

    write_queue.enqueue_write(write_opened_entry)


def _set_opened_entry(searches: QuerySet[Search], entry_id: int) -> int:
    exists = Entry.objects.filter(pk=entry_id).exists()
    return searches.update(entry_id=entry_id) if exists else 0


def _build_search_columns(
    words: str, user: Reader, person: str, **facts: Any
) -> dict[str, Any]:
    """Return the columns of a search that happens now."""
    side = get_search_side(user)
    by = user if side == SearchSide.STAFF else None
    return {
        "words": mask_words(words),
        "side": side,
        "by": by,
        "person": "" if by else person,
        "created_at": timezone.now(),
        **facts,
    }


def _save_or_replace_search(row: Search) -> None:
    """Save `row`, in the place of the search that it goes on from, if there is one.

    One program may search for many people: only words that begin alike, a moment
    apart, are taken for one person's typing.
    """
    rows = Search.objects.filter(
        side=row.side, by=row.by, person=row.person, entry=None
    ).filter(created_at__gt=row.created_at - SAME_TYPING_PERIOD)
    before = rows.order_by("-created_at", "-pk").first()
    if before and _is_continuation(before.words, row.words):
        row.pk = before.pk
    row.save()


def _is_continuation(one: str, other: str) -> bool:
    """Tell whether one of two texts begins the other, as it is written or typed."""
    said = [normalize.normalize_text(text).replace(" ", "") for text in (one, other)]
    typed = ["".join(pinyin.list_syllables(text)) for text in said]
    return any(a.startswith(b) or b.startswith(a) for a, b in (said, typed))
