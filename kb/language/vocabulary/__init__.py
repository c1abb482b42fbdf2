"""The vocabulary in force: what editors teach, compiled once an edition and process."""

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

from kb.models import DictionaryWord, LanguageEdition, StopWord, SynonymSet
from kb.text.chinese import synonyms, tokenizer
from kb.text.chinese.lexicon import EMPTY_LEXICON, Lexicon

STARTER_FOLDER = Path(__file__).parent / "starter"
STARTER_BATCH_ROWS = 500  # rows of the starter written at a time
_EDITION_SQL = "SELECT number, raised_at FROM kb_languageedition WHERE id = %s"
EditionStamp = tuple[int, datetime | str] | None  # SQLite has no dates

_compile_lock = Lock()
_compiled_lexicon: tuple[EditionStamp, Lexicon] = (None, EMPTY_LEXICON)
_trial_lexicon: ContextVar[Lexicon | None] = ContextVar("tried", default=None)


def load_current_lexicon() -> Lexicon:
    """Return the vocabulary as it is now, and teach this process its words.

    One small query when nothing changed. Read marks of the index before calling it:
    they must not be newer than the vocabulary.
    """
    global _compiled_lexicon  # noqa: PLW0603 - one a process, as jieba's dictionary
    if (trial := _trial_lexicon.get()) is not None:
        return trial
    stamp, lexicon = _compiled_lexicon
    if _read_edition() != stamp:
        with _compile_lock:
            stamp = _read_edition()  # again: an older one must not replace a newer one
            if stamp != _compiled_lexicon[0]:
                _compiled_lexicon = (stamp, _compile_lexicon())
            lexicon = _compiled_lexicon[1]
    tokenizer.teach_words(lexicon.custom_words)
    return lexicon


def get_loaded_lexicon() -> Lexicon:
    """Return the lexicon that load_current_lexicon returned last; reads nothing."""
    return _trial_lexicon.get() or _compiled_lexicon[1]


@contextmanager
def use_trial_lexicon(lexicon: Lexicon) -> Iterator[None]:
    """Let this thread search as if `lexicon` were in force.

    Words that are new in it are not taught: the index does not know them yet.
    """
    token = _trial_lexicon.set(lexicon)
    try:
        yield
    finally:
        _trial_lexicon.reset(token)


def load_starter_lexicon() -> Lexicon:
    """Return the vocabulary that ships, without a database, and teach its words."""
    lexicon = _compile_starter_lexicon()
    tokenizer.teach_words(lexicon.custom_words)
    return lexicon


@transaction.atomic
def install_starter_vocabulary() -> int:
    """Write the vocabulary that ships, once in the life of a site; return the count.

    What editors delete later stays deleted.
    """
    models = (SynonymSet, DictionaryWord, StopWord)
    editions = LanguageEdition.objects.filter(pk=LanguageEdition.VOCABULARY)
    if editions.exists() or any(model.objects.exists() for model in models):
        return 0
    sets = SynonymSet.objects.bulk_create(
        _read_synonym_sets(), batch_size=STARTER_BATCH_ROWS
    )
    words = DictionaryWord.objects.bulk_create(
        _read_words(), batch_size=STARTER_BATCH_ROWS
    )
    stops = StopWord.objects.bulk_create(
        _read_stop_words(), batch_size=STARTER_BATCH_ROWS
    )
    raise_vocabulary_edition()
    return len(sets) + len(words) + len(stops)


def raise_vocabulary_edition() -> None:
    """Make every process read the vocabulary again, once this transaction commits."""
    LanguageEdition.increment_edition(LanguageEdition.VOCABULARY)


@receiver([post_save, post_delete], sender=SynonymSet, dispatch_uid="kb.synonymset")
@receiver([post_save, post_delete], sender=DictionaryWord, dispatch_uid="kb.word")
@receiver([post_save, post_delete], sender=StopWord, dispatch_uid="kb.stopword")
def _raise_edition_on_change(**kwargs: Any) -> None:
    raise_vocabulary_edition()


def _read_edition() -> EditionStamp:
    """Return the row as the driver reads it.

    The ORM takes five times as long, and every search reads it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_EDITION_SQL, [LanguageEdition.VOCABULARY])
        return cursor.fetchone()  # type: ignore[no-any-return]


def _compile_lexicon() -> Lexicon:
    return Lexicon.from_vocabulary(
        [_make_synonym_group(row) for row in SynonymSet.objects.all()],
        StopWord.objects.values_list("text", flat=True),
        DictionaryWord.objects.values_list("text", flat=True),
    )


@cache
def _compile_starter_lexicon() -> Lexicon:
    return Lexicon.from_vocabulary(
        [_make_synonym_group(row) for row in _read_synonym_sets()],
        [row.text for row in _read_stop_words()],
        [row.text for row in _read_words()],
    )


def _make_synonym_group(row: SynonymSet) -> synonyms.SynonymGroup:
    return synonyms.SynonymGroup(tuple(row.list_words()), row.two_way)


# The files of the starter ---------------------------------------------------------


def _read_synonym_sets() -> Iterator[SynonymSet]:
    for topic, direction, members in _read_starter_rows("synonyms.tsv"):
        lines = "\n".join(members.split(" | "))
        yield SynonymSet(topic=topic, members=lines, two_way=direction == "=")


def _read_words() -> Iterator[DictionaryWord]:
    return (
        DictionaryWord(text=text, tag=tag)
        for text, tag in _read_starter_rows("words.tsv")
    )


def _read_stop_words() -> Iterator[StopWord]:
    return (StopWord(text=text) for text, _ in _read_starter_rows("stopwords.tsv"))


def _read_starter_rows(name: str) -> Iterator[list[str]]:
    lines = (STARTER_FOLDER / name).read_text("utf-8").splitlines()
    return (line.split("\t") for line in lines[1:])
