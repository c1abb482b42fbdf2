"""Keep the engine a faithful copy of what may be searched.

Saving an entry marks it stale in the same transaction. After commit, `sync`
reads the entry afresh and updates or forgets it. Whatever slips past both
(a bulk update, a crash, a lost disk) `audit` finds and marks again.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from threading import Event, Thread
from typing import Any, NamedTuple

from django.db import DatabaseError, connection, connections, transaction
from django.db.models import Q
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver

from kb import vocabulary
from kb.engines import (
    LEARNED,
    Document,
    EngineUnavailable,
    field_name,
    get_engine,
)
from kb.models import Category, Entry, EntryQuerySet, Phrasing, Reply, Side, Stale, Word
from kb.text import forms, normalize, pinyin, segment

logger = logging.getLogger(__name__)
BATCH = 500  # entries read from the database at a time
FEW = 2000  # entries that one process describes before others are at work
MOST_PROCESSES = 4  # each needs some 100 MB
MOST_LEARNED = 30  # wordings of an entry that evidence speaks for, a side
FEWEST = 2  # wordings that must share a term before it counts
MOST_OFTEN = 3  # times that a shared term counts, however many share it
# Where the words of an entry's document come from.
_CUT_TEXTS = ("question", "phrasings__text", "answer", "replies__body", "keywords")


class Source(NamedTuple):
    """An entry as prose, fit to be sent to another process."""

    id: int
    texts: dict[str, list[str]]
    labels: list[str]


def describe(
    id: int, texts: Mapping[str, Iterable[str]], labels: Iterable[str] = ()
) -> Document:
    """Return the document of an entry with `texts`, the name of a field to prose.

    This is the one place where prose becomes terms. The question and its
    phrasings are also held in other forms: as they sound, and by character.
    """
    terms: dict[str, tuple[str, ...]] = {}
    texts = {name: tuple(parts) for name, parts in texts.items()}
    for field, parts in texts.items():
        kept = [part for part in parts if part]
        joined = _common if field in LEARNED else _all
        terms[field] = joined(segment.words(part) for part in kept)
        if pairs := field_name(field, pair=True):
            terms[pairs] = joined(segment.pairs(part) for part in kept)
    asked = (*texts.get("question", ()), *texts.get("phrasings", ()))
    terms["forms"] = tuple(form for text in asked for form in forms.of(text))
    return Document(id, frozenset(labels), {k: v for k, v in terms.items() if v})


def documents(entries: EntryQuerySet) -> Iterator[Document]:
    """Yield the document of every entry, reading BATCH of them at a time."""
    vocabulary.in_force()  # words are cut as the editors say now
    return map(_document, _sources(entries))


@receiver([post_save, post_delete], sender=Entry, dispatch_uid="kb.index.entry")
def _entry_changed(instance: Entry, **kwargs: Any) -> None:
    mark([instance.pk])


@receiver([post_save, post_delete], sender=Reply, dispatch_uid="kb.index.reply")
@receiver([post_save, post_delete], sender=Phrasing, dispatch_uid="kb.index.phrasing")
def _part_changed(instance: Reply | Phrasing, **kwargs: Any) -> None:
    mark([instance.entry_id])


@receiver(post_save, sender=Category, dispatch_uid="kb.index.category")
def _category_moved(instance: Category, created: bool, **kwargs: Any) -> None:
    if not created:
        below = instance.descendants(include_self=True)
        mark(Entry.objects.filter(category__in=below).values_list("pk", flat=True))


@receiver(pre_save, sender=Word, dispatch_uid="kb.index.word.before")
def _word_changes(instance: Word, **kwargs: Any) -> None:
    for word in Word.objects.filter(pk=instance.pk).exclude(text=instance.text):
        _mark_holding(word.text)


@receiver([post_save, post_delete], sender=Word, dispatch_uid="kb.index.word")
def _word_changed(instance: Word, **kwargs: Any) -> None:
    _mark_holding(instance.text)


def _mark_holding(word: str) -> None:
    """Mark the entries whose texts hold `word`, in 简体 or 繁體: they are cut anew."""
    holds = Q()
    for spelling in normalize.scripts(word):
        for text in _CUT_TEXTS:
            holds |= Q(**{f"{text}__icontains": spelling})
    found = Entry.objects.filter(holds).order_by("pk").distinct()
    mark(found.values_list("pk", flat=True))


def mark(entry_ids: Iterable[int]) -> None:
    """Note that the index is behind on these entries, and catch up after commit."""
    _note(entry_ids)
    waiting = transaction.get_connection().run_on_commit
    if not any(callback is sync_all for _, callback, _ in waiting):
        transaction.on_commit(sync_all, robust=True)


def _note(entry_ids: Iterable[int]) -> None:
    Stale.objects.bulk_create(
        (Stale(entry_id=pk) for pk in entry_ids), batch_size=BATCH
    )


def sync(limit: int = BATCH) -> int:
    """Bring marked entries up to date; return how many marks were cleared.

    A mark made while we work is a new row, so clearing ours never loses it. If
    the engine is busy or down the marks stay, and the next sync finds them.
    """
    if not Stale.objects.exists():
        return 0
    try:
        with get_engine().writing() as changes:
            oldest = Stale.objects.order_by("pk").values_list("pk", "entry_id")
            marks = dict(oldest[:limit])
            wanted = set(marks.values())
            entries = Entry.objects.searchable().filter(pk__in=wanted)
            changes.put += documents(entries)
            changes.forget |= wanted - {document.id for document in changes.put}
    except EngineUnavailable as error:
        logger.warning("index: %d marks wait: %s", Stale.objects.count(), error)
        return 0
    Stale.objects.filter(pk__in=list(marks)).delete()
    return len(marks)


def sync_all() -> int:
    """Sync until nothing is marked or the engine cannot; return marks cleared."""
    cleared = 0
    while done := sync():
        cleared += done
    return cleared


def keep_up(stop: Event, interval: float = 5.0) -> Thread:
    """Start a thread that syncs what a busy or failing engine left marked.

    `interval` is in seconds. The request that saved syncs as well, so this one
    seldom finds work. It ends with the process, or when `stop` is set.
    """

    def watch() -> None:
        while not stop.wait(interval):
            try:
                sync_all()
            except DatabaseError as error:
                logger.warning("index: cannot look for marks: %s", error)
            finally:
                connection.close()

    thread = Thread(target=watch, name="kb.index.keep_up", daemon=True)
    thread.start()
    return thread


def rebuild(progress: Any = iter, processes: int = 1) -> int:
    """Remake the index beside the old one and swap; return how many entries.

    `progress` wraps the iterator of entries. More `processes` than one are for
    commands: they are forked, with the dictionaries loaded and no connection.
    Saves go on and are searchable meanwhile; they are marked again before the
    swap and caught up with after it. Raises EngineUnavailable, also when
    another rebuild is under way.
    """
    vocabulary.in_force()
    known = list(Stale.objects.values_list("pk", flat=True))
    if processes > 1:
        segment.warm()
        pinyin.warm()
        connections.close_all()
    entries = progress(_sources(Entry.objects.searchable()))
    engine = get_engine()
    engine.replace(entries, _document, missed=_note, processes=processes)
    # What was marked before we began is in what we read. Not "all up to the
    # last": a mark with a lower number may have been committed since.
    for start in range(0, len(known), BATCH):
        Stale.objects.filter(pk__in=known[start : start + BATCH]).delete()
    sync_all()
    return len(engine.digests())


def processes() -> int:
    """Return how many processes a command's rebuild is worth; a small one, one."""
    if Entry.objects.searchable().count() < FEW:
        return 1
    return min(os.cpu_count() or 1, MOST_PROCESSES)


def audit() -> set[int]:
    """Mark and return the ids on which engine and database disagree."""
    held = get_engine().digests()
    drift = set()
    for document in documents(Entry.objects.searchable()):
        if held.pop(document.id, None) != document.digest:
            drift.add(document.id)
    drift |= held.keys()
    mark(drift)
    return drift


def _sources(entries: EntryQuerySet) -> Iterator[Source]:
    """Yield what documents are made of, reading BATCH entries at a time.

    Each batch is a query of its own: one that stays open for a whole rebuild
    would keep the database from tidying up behind the writers.
    """
    parents = dict(Category.objects.values_list("pk", "parent_id"))
    full = entries.order_by("pk").prefetch_related("replies", "phrasings", "evidence")
    batch = list(full[:BATCH])
    while batch:
        yield from (_source(entry, parents) for entry in batch)
        batch = list(full.filter(pk__gt=batch[-1].pk)[:BATCH])


def _source(entry: Entry, parents: Mapping[int, int | None]) -> Source:
    labels = [f"status={entry.status}", f"audience={entry.audience}"]
    category = entry.category_id
    while category:  # the tree refuses loops
        labels.append(category_label(category))
        category = parents.get(category)
    texts = {
        "keywords": [entry.keywords],
        "question": [entry.question],
        "phrasings": [phrasing.text for phrasing in entry.phrasings.all()],
        "replies": [reply.body for reply in entry.replies.all()],
        "answer": [entry.answer],
        "picked": _learned(entry, Side.PUBLIC),
        "picked_staff": _learned(entry, Side.STAFF),
    }
    return Source(entry.pk, texts, labels)


def _document(source: Source) -> Document:
    return describe(source.id, source.texts, source.labels)


def _learned(entry: Entry, side: Side) -> list[str]:
    """Return the words of evidence that count, the strongest first."""
    rows = [e.words for e in entry.evidence.all() if e.side == side and e.level]
    return rows[:MOST_LEARNED]


def _all(texts: Iterable[list[str]]) -> tuple[str, ...]:
    return tuple(chain.from_iterable(texts))


def _common(texts: Iterable[list[str]]) -> tuple[str, ...]:
    """Return the terms that several texts share, as often as there are, within reason.

    One wording teaches nothing about others: its words would pull in whatever
    shares them. That cost 8 points of R@1 where nothing can be learned.
    """
    counts = Counter(chain.from_iterable(map(set, texts)))
    often = {t: min(n, MOST_OFTEN) for t, n in counts.items() if n >= FEWEST}
    return tuple(t for t, n in sorted(often.items()) for _ in range(n))


def category_label(pk: int) -> str:
    """Return the label of documents in the category or anywhere below it."""
    return f"category={pk}"
