"""Keep the engine a faithful copy of what may be searched.

Saving an entry marks it stale in the same transaction. After commit, `sync`
reads the entry afresh and updates or forgets it. Whatever slips past both
(a bulk update, a crash, a lost disk) `audit` finds and marks again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from threading import Event, Thread
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Max, Q
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver

from kb import typeahead, vocabulary
from kb.engines import Document, EngineUnavailable, field_name, get_engine
from kb.models import Category, Entry, EntryQuerySet, Phrasing, Reply, Stale, Word
from kb.text import forms, normalize, segment

logger = logging.getLogger(__name__)
BATCH = 500  # entries read from the database at a time
# Where the words of an entry's document come from.
_CUT_TEXTS = ("question", "phrasings__text", "answer", "replies__body", "keywords")


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
        terms[field] = tuple(word for part in kept for word in segment.words(part))
        if pairs := field_name(field, pair=True):
            terms[pairs] = tuple(pair for part in kept for pair in segment.pairs(part))
    asked = (*texts.get("question", ()), *texts.get("phrasings", ()))
    terms["forms"] = tuple(form for text in asked for form in forms.of(text))
    return Document(id, frozenset(labels), {k: v for k, v in terms.items() if v})


def documents(entries: EntryQuerySet) -> Iterator[Document]:
    """Yield the document of every entry, reading BATCH of them at a time."""
    vocabulary.in_force()  # words are cut as the editors say now
    parents = dict(Category.objects.values_list("pk", "parent_id"))
    full = entries.order_by("pk").prefetch_related("replies", "phrasings")
    for entry in full.iterator(chunk_size=BATCH):
        yield _document(entry, parents)


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
    Stale.objects.bulk_create(
        (Stale(entry_id=pk) for pk in entry_ids), batch_size=BATCH
    )
    waiting = transaction.get_connection().run_on_commit
    if not any(callback is sync_all for _, callback, _ in waiting):
        transaction.on_commit(sync_all, robust=True)


def sync(limit: int = BATCH) -> int:
    """Bring marked entries up to date; return how many marks were cleared.

    A mark made while we work is a new row, so clearing ours never loses it. If
    the engine is busy or down the marks stay, and the next sync finds them.
    """
    if not Stale.objects.exists():
        return 0
    try:
        with get_engine().writing() as changes:
            marks = _marked(limit)
            wanted = set(marks.values())
            typeahead.keep(wanted)
            entries = Entry.objects.searchable().filter(pk__in=wanted)
            changes.put += documents(entries)
            changes.forget |= wanted - {document.id for document in changes.put}
    except EngineUnavailable as error:
        logger.warning("index: %d marks wait: %s", Stale.objects.count(), error)
        typeahead.keep(_marked(limit).values())  # it needs no engine
        return 0
    Stale.objects.filter(pk__in=list(marks)).delete()
    return len(marks)


def _marked(limit: int) -> dict[int, int]:
    """Return {mark: entry id} of the oldest marks."""
    oldest = Stale.objects.order_by("pk").values_list("pk", "entry_id")
    return dict(oldest[:limit])


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


def rebuild(progress: Any = iter) -> int:
    """Remake the index beside the old one and swap; return how many entries.

    `progress` wraps the iterator of documents. What was marked before is in the
    new index. Saves made meanwhile stay marked, for the pen is ours; they are
    caught up with at the end.
    """
    known = Stale.objects.aggregate(last=Max("pk"))["last"] or 0
    found = _with_beginnings(documents(Entry.objects.searchable()))
    get_engine().replace(progress(found))
    typeahead.keep(typeahead.drift())  # what is retired, or was changed in bulk
    Stale.objects.filter(pk__lte=known).delete()
    sync_all()
    return len(get_engine().digests())


def _with_beginnings(found: Iterable[Document]) -> Iterator[Document]:
    """Yield the documents and keep the beginnings of their entries.

    By turns, so that what one has read aloud the other need not read again.
    """
    rest = iter(found)
    while batch := list(islice(rest, BATCH)):
        typeahead.keep(document.id for document in batch)
        yield from batch


def audit() -> set[int]:
    """Mark and return the ids on which engine and database disagree.

    What is kept for typeahead is compared, too.
    """
    truth = {d.id: d.digest for d in documents(Entry.objects.searchable())}
    held = get_engine().digests()
    drift = {pk for pk, _ in truth.items() ^ held.items()} | typeahead.drift()
    mark(drift)
    return drift


def _document(entry: Entry, parents: Mapping[int, int | None]) -> Document:
    replies = [reply.body for reply in entry.replies.all()]
    phrasings = [phrasing.text for phrasing in entry.phrasings.all()]
    labels = [f"status={entry.status}", f"audience={entry.audience}"]
    category = entry.category_id
    while category:  # the tree refuses loops
        labels.append(category_label(category))
        category = parents.get(category)
    texts = {
        "keywords": [entry.keywords],
        "question": [entry.question],
        "phrasings": phrasings,
        "replies": replies,
        "answer": [entry.answer],
    }
    return describe(entry.pk, texts, labels)


def category_label(pk: int) -> str:
    """Return the label of documents in the category or anywhere below it."""
    return f"category={pk}"
