"""The vocabulary in force: what editors own, compiled once per edition and process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from django.db import connection, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from kb.models import Edition, StopWord, SynonymSet, Word
from kb.text import segment, synonyms
from kb.text.lexicon import EMPTY, Lexicon

STARTER = Path(__file__).parent / "starter"
BATCH = 500  # rows of the starter written at a time
_STAMP = "SELECT number, raised_at FROM kb_edition WHERE id = %s"
Stamp = tuple[int, datetime | str] | None  # SQLite has no dates

_compiling = Lock()
_held: tuple[Stamp, Lexicon] = (None, EMPTY)
_tried: ContextVar[Lexicon | None] = ContextVar("tried", default=None)


def in_force() -> Lexicon:
    """Return the vocabulary as it is now, and teach this process its words.

    One small query when nothing changed. Call it after reading what made the
    call necessary: marks of the index must not be newer than the vocabulary.
    """
    global _held  # noqa: PLW0603 - one a process, as jieba's dictionary
    if (tried := _tried.get()) is not None:
        return tried
    stamp, lexicon = _held
    if _edition() != stamp:
        with _compiling:
            stamp = _edition()  # again: nobody may put an older one back
            if stamp != _held[0]:
                _held = (stamp, _compile())
            lexicon = _held[1]
    segment.learn(lexicon.words)
    return lexicon


def held() -> Lexicon:
    """Return what in_force found last; a search asks once for all its steps."""
    return _tried.get() or _held[1]


@contextmanager
def trying(lexicon: Lexicon) -> Iterator[None]:
    """Let this thread search as if `lexicon` were in force.

    Words that are new in it are not taught: the index does not know them yet.
    """
    token = _tried.set(lexicon)
    try:
        yield
    finally:
        _tried.reset(token)


def starter() -> Lexicon:
    """Return the vocabulary that ships, without a database, and teach its words."""
    lexicon = _starter()
    segment.learn(lexicon.words)
    return lexicon


@transaction.atomic
def load_starter() -> int:
    """Write the vocabulary that ships, once in the life of a site; return its rows.

    What editors deleted later stays deleted.
    """
    models = (SynonymSet, Word, StopWord)
    known = Edition.objects.filter(pk=Edition.VOCABULARY)
    if known.exists() or any(model.objects.exists() for model in models):
        return 0
    sets = SynonymSet.objects.bulk_create(_sets(), batch_size=BATCH)
    words = Word.objects.bulk_create(_words(), batch_size=BATCH)
    stops = StopWord.objects.bulk_create(_stops(), batch_size=BATCH)
    raise_edition()
    return len(sets) + len(words) + len(stops)


def raise_edition() -> None:
    """Have every process read the vocabulary anew, once this transaction commits."""
    Edition.rise(Edition.VOCABULARY)


@receiver([post_save, post_delete], sender=SynonymSet, dispatch_uid="kb.synonymset")
@receiver([post_save, post_delete], sender=Word, dispatch_uid="kb.word")
@receiver([post_save, post_delete], sender=StopWord, dispatch_uid="kb.stopword")
def _changed(**kwargs: Any) -> None:
    raise_edition()


def _edition() -> Stamp:
    """Return the row as the driver reads it: Django's way there takes five times as
    long, and every search asks."""
    with connection.cursor() as cursor:
        cursor.execute(_STAMP, [Edition.VOCABULARY])
        return cursor.fetchone()  # type: ignore[no-any-return]


def _compile() -> Lexicon:
    return Lexicon.of(
        [_plain(row) for row in SynonymSet.objects.all()],
        StopWord.objects.values_list("text", flat=True),
        Word.objects.values_list("text", flat=True),
    )


@cache
def _starter() -> Lexicon:
    return Lexicon.of(
        [_plain(row) for row in _sets()],
        [row.text for row in _stops()],
        [row.text for row in _words()],
    )


def _plain(row: SynonymSet) -> synonyms.SynonymSet:
    return synonyms.SynonymSet(tuple(row.words()), row.two_way)


# The files of the starter ---------------------------------------------------------


def _sets() -> Iterator[SynonymSet]:
    for topic, direction, members in _rows("synonyms.tsv"):
        lines = "\n".join(members.split(" | "))
        yield SynonymSet(topic=topic, members=lines, two_way=direction == "=")


def _words() -> Iterator[Word]:
    return (Word(text=text, tag=tag) for text, tag in _rows("words.tsv"))


def _stops() -> Iterator[StopWord]:
    return (StopWord(text=text) for text, _ in _rows("stopwords.tsv"))


def _rows(name: str) -> Iterator[list[str]]:
    lines = (STARTER / name).read_text("utf-8").splitlines()
    return (line.split("\t") for line in lines[1:])
