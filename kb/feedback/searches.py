"""Searches are kept as rows, each once, however its words came to be typed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from kb import write_queue
from kb.feedback.keeping import kept
from kb.models import Entry, Reader, Search, Side
from kb.text import normalize, pinyin

OPENED = timedelta(hours=1)  # after a search within which an entry is what it led to
# Between two searches of which one goes on from the other.
TYPING = timedelta(seconds=20)


def side_of(user: Reader) -> Side:
    """Return on which side `user` searches, which is what he may match on."""
    inside = user.is_authenticated and user.reads_library
    return Side.STAFF if inside else Side.PUBLIC


def record(
    words: str,
    *,
    user: Reader,
    results: int,
    entry: Entry | None = None,
    rank: int | None = None,
    person: str = "",
) -> None:
    """Keep that `words` were searched for. Never raises, never waits."""
    row = _columns(words, user, person, results=results, entry=entry, rank=rank)
    if row["words"]:
        write_queue.put(lambda: Search(**row).save())


def typed(words: str, *, user: Reader, results: int, person: str = "") -> None:
    """Keep what was searched for where nobody says when the words are whole.

    What goes on from the search before takes its place, so that somebody is
    counted once however many letters he typed. Never raises, never waits.
    """
    row = _columns(words, user, person, results=results)
    if row["words"]:
        write_queue.put(lambda: _rewrite(Search(**row)))


def led(words: str, *, entry_id: int, person: str = "", user: Reader) -> None:
    """Keep that somebody opened an entry after `words`. Never raises, never waits."""
    row = _columns(words, user, person)
    moment: datetime = row["created_at"]
    rows = Search.objects.filter(
        words_key=normalize.key(row["words"]),
        side=row["side"],
        by=row["by"],
        entry=None,
        results__gt=0,
        created_at__gt=moment - OPENED,
    )
    if row["side"] == Side.PUBLIC:
        rows = rows.filter(person=person)

    def write() -> None:
        if not _set_entry(rows, entry_id):  # another process may have the search yet
            write_queue.put_later(lambda: _set_entry(rows, entry_id))

    write_queue.put(write)


def _set_entry(searches: QuerySet[Search], entry_id: int) -> int:
    exists = Entry.objects.filter(pk=entry_id).exists()
    return searches.update(entry_id=entry_id) if exists else 0


def _columns(words: str, user: Reader, person: str, **facts: Any) -> dict[str, Any]:
    """Return the columns of a search that happens now."""
    side = side_of(user)
    by = user if side == Side.STAFF else None
    return {
        "words": kept(words),
        "side": side,
        "by": by,
        "person": "" if by else person,
        "created_at": timezone.now(),
        **facts,
    }


def _rewrite(row: Search) -> None:
    """Save `row`, in the place of the search that it goes on from, if there is one.

    One program may search for many people: only words that begin alike, a moment
    apart, are taken for one person's typing.
    """
    rows = Search.objects.filter(
        side=row.side, by=row.by, person=row.person, entry=None
    ).filter(created_at__gt=row.created_at - TYPING)
    before = rows.order_by("-created_at", "-pk").first()
    if before and _begins_alike(before.words, row.words):
        row.pk = before.pk
    row.save()


def _begins_alike(one: str, other: str) -> bool:
    """Tell whether one of two texts begins the other, as it is written or typed."""
    said = [normalize.normalize(text).replace(" ", "") for text in (one, other)]
    typed = ["".join(pinyin.syllables(text)) for text in said]
    return any(a.startswith(b) or b.startswith(a) for a, b in (said, typed))
