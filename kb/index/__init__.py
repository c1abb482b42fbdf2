"""Keep the engine a faithful copy of what may be searched.

Saving an entry marks it stale in the same transaction. After commit, `sync`
reads the entry afresh and updates or forgets it. Whatever slips past both
(a bulk update, a crash, a lost disk) `audit` finds and marks again.
"""

from __future__ import annotations

import itertools
import logging
import os
import time
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from threading import local
from typing import Any

from django.db import connections, transaction
from django.db.models import F, Q
from django.db.models.signals import (
    m2m_changed,
    post_delete,
    post_save,
    pre_delete,
    pre_save,
)
from django.dispatch import receiver
from django.utils import timezone

from kb import content, faces, typeahead, vocabulary
from kb.documents import BATCH, Source, document, sources
from kb.engines import Document, EngineUnavailable, check_stamps_with, get_engine
from kb.index import stamps
from kb.models import (
    Category,
    ContentEdition,
    Entry,
    EntryQuerySet,
    Phrasing,
    Reply,
    Stale,
    Tag,
    Window,
    Word,
)
from kb.models.stale import SMALL_LOT, StaleQuerySet
from kb.text import normalize, pinyin, segment

logger = logging.getLogger(__name__)
SLACK = timedelta(minutes=1)  # between clocks that agree
SYNC_BATCH = 100  # marks worked off while the write lock is held, some 0.3 s
SYNC_PAUSE = 0.05  # seconds between batches; writers look for the lock every 0.02
check_stamps_with(stamps.is_known)
_mark_numbers = itertools.count(1)
_this_thread = local()
FEW = 2000  # entries that one process describes before others are at work
MOST_PROCESSES = 4  # each needs some 100 MB
# Where the words of an entry's document come from.
_CUT_TEXTS = ("question", "phrasings__text", "answer", "replies__text", "keywords")


def documents(entries: EntryQuerySet) -> Iterator[Document]:
    """Yield the document of every entry, reading BATCH of them at a time."""
    vocabulary.in_force()  # words are cut as the editors say now
    return map(document, sources(entries))


@receiver([post_save, post_delete], sender=Entry, dispatch_uid="kb.index.entry")
def _entry_changed(instance: Entry, **kwargs: Any) -> None:
    mark([instance.pk])


@receiver([post_save, post_delete], sender=Reply, dispatch_uid="kb.index.reply")
@receiver([post_save, post_delete], sender=Phrasing, dispatch_uid="kb.index.phrasing")
def _part_changed(instance: Reply | Phrasing, **kwargs: Any) -> None:
    """What is one person's or one team's is not in the index: nobody must notice."""
    shared = isinstance(instance, Phrasing) or instance.is_shared
    if shared and instance.entry_id is not None:
        mark([instance.entry_id])


@receiver(m2m_changed, sender=Entry.tags.through, dispatch_uid="kb.index.tags")
def _tags_changed(
    instance: Entry | Tag, pk_set: set[int] | None, action: str, **kwargs: Any
) -> None:
    if isinstance(instance, Entry):
        mark([instance.pk])
    elif action == "pre_clear":  # of a tag: afterwards nobody knows whose it was
        mark(instance.entries.values_list("pk", flat=True))
    else:
        mark(pk_set or ())


@receiver(pre_delete, sender=Tag, dispatch_uid="kb.index.tag")
def _tag_goes(instance: Tag, **kwargs: Any) -> None:
    mark(list(instance.entries.values_list("pk", flat=True)))


@receiver(pre_save, sender=Category, dispatch_uid="kb.index.category")
def _category_moves(instance: Category, **kwargs: Any) -> None:
    """Mark what stands in a branch that moves.

    A document carries the categories above its entry by number. So another
    parent changes the documents of the whole branch, another name none.
    """
    moves = Category.objects.filter(pk=instance.pk).exclude(parent=instance.parent_id)
    if instance.pk and moves.exists():
        below = instance.descendants(include_self=True)
        mark(Entry.objects.filter(category__in=below).values_list("pk", flat=True))


@receiver(post_save, sender=Window, dispatch_uid="kb.index.window")
def _window_moved(instance: Window, **kwargs: Any) -> None:
    mark(list(instance.entries.values_list("pk", flat=True)))


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
    """Note that the index is behind on these entries, and catch up after commit.

    The request catches up with small lots only. The scheduler does the rest.
    """
    if _note(entry_ids):
        content.raise_edition(Entry)
        number = next(_mark_numbers)

        def sync_once() -> None:
            _sync_once(number)

        # The first callback of a commit catches up for all of them.
        transaction.on_commit(sync_once, robust=True)


def _note_missed(entry_ids: set[int]) -> None:
    """Mark what changed while an index was rebuilt."""
    _note(entry_ids)


def _note(entry_ids: Iterable[int]) -> int:
    """Store a mark for each entry; return how many there are."""
    ids = list(entry_ids)
    Stale.objects.bulk_create(
        (Stale(entry_id=pk, lot_size=len(ids)) for pk in ids), batch_size=BATCH
    )
    return len(ids)


def _sync_once(number: int) -> None:
    """Sync small lots, unless this thread did so after mark `number` was committed.

    Numbers rise. Those of one transaction are lower than the number that its
    first callback takes, and those of a later transaction are higher.
    """
    if number > getattr(_this_thread, "synced_upto", 0):
        _this_thread.synced_upto = next(_mark_numbers)
        sync_small()


def sync_small() -> int:
    """Sync the small lots, for a request that shows them; return marks cleared.

    It takes SMALL_LOT marks at most, the newest first. What is left is for
    `sync_all`, which the scheduler calls.
    """
    return sync(limit=SMALL_LOT, only_small=True)


def pending() -> int:
    """Return how many marks wait to be worked off."""
    return Stale.objects.due().count()


def sync(limit: int = BATCH, *, only_small: bool = False) -> int:
    """Bring marked entries up to date; return how many marks were cleared.

    Small lots go first, and among equals the newest. A mark made while we work is
    a new row, so clearing ours never loses it. If the engine is busy or down the
    marks stay, and the next sync finds them.
    """
    _rewind()
    due = Stale.objects.due()
    if only_small:
        due = due.small()
    if not due.exists():
        return 0
    try:
        marks, stamp = _write(due, limit)
    except EngineUnavailable as error:
        logger.warning("index: %d marks wait: %s", pending(), error)
        wanted = set(_marked(due, limit).values())
        typeahead.keep(wanted)  # these need no engine
        faces.keep(wanted)
        return 0
    done = Stale.objects.filter(pk__in=list(marks))
    if done.filter(due_at__gt=F("marked_at")).exists():  # an entry began or ended
        content.raise_edition(Entry)
    with transaction.atomic():
        stamps.finish(stamp)
        done.delete()
    return len(marks)


def _write(due: StaleQuerySet, limit: int) -> tuple[dict[int, int], str]:
    """Write marked entries to the engine; return the marks and the new stamp."""
    with get_engine().writing() as changes:
        changes.stamp = stamps.begin(changes.stamp)
        marks = _marked(due, limit)
        wanted = set(marks.values())
        typeahead.keep(wanted)
        faces.keep(wanted)
        entries = Entry.objects.searchable().filter(pk__in=wanted)
        changes.put += documents(entries)
        changes.forget |= wanted - {document.id for document in changes.put}
        _foresee(wanted)
    return marks, changes.stamp


def _marked(due: StaleQuerySet, limit: int) -> dict[int, int]:
    """Return {mark: entry id} of the marks whose turn it is."""
    first = due.order_by("lot_size", "-pk").values_list("pk", "entry_id")
    return dict(first[:limit])


def _rewind() -> None:
    """Mark what has begun or ended by a clock that was put back since.

    The edition was raised then, in what is the future again.
    """
    now = timezone.now()
    ahead = ContentEdition.objects.filter(raised_at__gt=now + SLACK).first()
    if ahead is None:
        return
    between = (now, ahead.raised_at)
    turned = Q(valid_from__range=between) | Q(valid_until__range=between)
    with transaction.atomic():
        _note(Entry.objects.filter(turned).values_list("pk", flat=True))
        content.raise_edition(Entry)


def _foresee(entry_ids: Collection[int]) -> None:
    """Mark the entries that begin or end later for the moment when they do."""
    now = timezone.now()
    Stale.objects.filter(entry_id__in=entry_ids, due_at__gt=now).delete()
    turning = Q(valid_from__gt=now) | Q(valid_until__gt=now)
    rows = Entry.objects.searchable().filter(turning, pk__in=entry_ids)
    Stale.objects.bulk_create(
        Stale(entry_id=pk, due_at=min(m for m in moments if m and m > now))
        for pk, *moments in rows.values_list("pk", "valid_from", "valid_until")
    )


def sync_all(most: int | None = None) -> int:
    """Sync until nothing is marked or the engine cannot; return marks cleared.

    It works in batches and pauses between them, so that a request that has saved
    gets the write lock, and the next batch begins with the newest small lot. A
    request that waits for a lot of its own stops after `most` marks: larger lots
    of others come after it.
    """
    cleared = 0
    while most is None or cleared < most:
        if not (done := sync(SYNC_BATCH)):
            break
        cleared += done
        if done == SYNC_BATCH:
            time.sleep(SYNC_PAUSE)
    return cleared


def rebuild(progress: Any = iter, processes: int = 1) -> int:
    """Remake the index beside the old one and swap; return how many entries.

    `progress` wraps the iterator of entries. More `processes` than one are for
    commands: they are forked, with the dictionaries loaded and no connection.
    Saves go on and are searchable meanwhile; they are marked again before the
    swap and caught up with after it. Raises EngineUnavailable, also when
    another rebuild is under way.
    """
    vocabulary.in_force()
    known = list(Stale.objects.due().values_list("pk", flat=True))
    if processes > 1:
        segment.warm()
        pinyin.warm()
        connections.close_all()
    entries = progress(_with_beginnings(sources(Entry.objects.searchable())))
    engine = get_engine()
    before = stamps.current(engine)
    stamp = stamps.new_index() if engine.is_stored else ""
    try:
        engine.replace(
            entries, document, missed=_note_missed, processes=processes, stamp=stamp
        )
    except BaseException:
        stamps.forget(stamp)
        raise
    stamps.forget(before)
    typeahead.keep(typeahead.drift())  # what is retired, or was changed in bulk
    # What was marked before we began is in what we read. Not "all up to the
    # last": a mark with a lower number may have been committed since.
    for start in range(0, len(known), BATCH):
        Stale.objects.filter(pk__in=known[start : start + BATCH]).delete()
    sync_all()
    return len(engine.digests())


def count() -> int:
    """Return how many entries the index holds. Raises EngineUnavailable."""
    return get_engine().count(())


def processes() -> int:
    """Return how many processes a command's rebuild is worth; a small one, one."""
    if Entry.objects.searchable().count() < FEW:
        return 1
    return min(os.cpu_count() or 1, MOST_PROCESSES)


def _with_beginnings(found: Iterable[Source]) -> Iterator[Source]:
    """Yield the sources and keep the beginnings of their entries.

    By turns, so that what one has read aloud the other need not read again.
    """
    rest = iter(found)
    while batch := list(itertools.islice(rest, BATCH)):
        ids = [source.id for source in batch]
        typeahead.keep(ids)
        _foresee(ids)
        yield from batch


def audit() -> set[int]:
    """Mark and return the ids on which engine and database disagree.

    What is kept for typeahead is compared, too.
    """
    held = get_engine().digests()
    drift = set()
    for found in documents(Entry.objects.searchable()):
        if held.pop(found.id, None) != found.digest:
            drift.add(found.id)
    drift |= held.keys() | typeahead.drift()
    mark(drift)
    return drift
