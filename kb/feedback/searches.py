"""Searches are kept as rows, each once, however its words came to be typed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from kb.feedback.keeping import kept
from kb.models import Entry, Reader, Search, Side
from kb.text import normalize, pinyin

OPENED = timedelta(hours=1)  # after a search within which an entry is what it led to
# Between two searches of which one goes on from the other.
TYPING = timedelta(seconds=20)
PATIENCE = 50  # ms that a page waits for the database to take a record
logger = logging.getLogger(__name__)


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
    """Keep that `words` were searched for. Never raises, hardly ever waits.

    One insert before the page goes out: a queue would lose rows with its
    process, and pages would not get faster by what an insert costs. Only where
    SQLite is being written to (an import) would it wait: then the row is given up.
    """
    row = Search(words=kept(words), results=results, entry=entry, rank=rank)
    _keep(row, user, person, Search.save)


def typed(words: str, *, user: Reader, results: int, person: str = "") -> None:
    """Keep what was searched for where nobody says when the words are whole.

    What goes on from the search before takes its place, so that somebody is
    counted once however many letters he typed. Never raises, hardly ever waits.
    """
    _keep(Search(words=kept(words), results=results), user, person, _rewrite)


def _keep(
    row: Search, user: Reader, person: str, save: Callable[[Search], None]
) -> None:
    if not row.words:
        return
    row.side = side_of(user)
    by = user if row.side == Side.STAFF else None
    row.person = "" if by else person
    row.by = by  # type: ignore[assignment]  # a User where the side is STAFF
    try:
        with _briefly(), transaction.atomic():
            save(row)
    except DatabaseError as error:
        logger.warning("feedback: a search was not recorded: %s", error)


def led(words: str, *, entry_id: int, person: str = "", user: Reader) -> None:
    """Keep that somebody opened an entry after `words`. Never raises, nor waits."""
    side = side_of(user)
    row = Search.objects.filter(
        words_key=normalize.key(kept(words)),
        side=side,
        entry=None,
        results__gt=0,
        created_at__gt=timezone.now() - OPENED,
    )
    row = row.filter(by=user.pk) if side == Side.STAFF else row.filter(person=person)
    try:
        with _briefly(), transaction.atomic():
            row.update(entry_id=entry_id)
    except DatabaseError as error:
        logger.warning("feedback: a reading was not recorded: %s", error)


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


@contextmanager
def _briefly() -> Iterator[None]:
    """Let SQLite wait PATIENCE for its lock; elsewhere an insert waits for nobody."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    seconds = connection.settings_dict["OPTIONS"].get("timeout", 5)
    connection.connection.execute(f"PRAGMA busy_timeout = {PATIENCE}")
    try:
        yield
    finally:
        connection.connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
