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

from kb.index import autocomplete, stamps
from kb.index.documents import (
    DOCUMENT_BATCH_ENTRIES,
    EntrySource,
    build_document,
    load_sources,
)
from kb.index.engines import (
    Document,
    EngineUnavailableError,
    get_engine,
    set_stamp_check,
)
from kb.language import vocabulary
from kb.models import (
    CampaignPeriod,
    Category,
    ContentEdition,
    DictionaryWord,
    Entry,
    EntryQuerySet,
    IndexQueue,
    Phrasing,
    Reply,
    Tag,
)
from kb.models.index_queue import MAX_SMALL_BATCH_ENTRIES, IndexQueueQuerySet
from kb.publishing import edition, translations
from kb.text.chinese import normalize, pinyin, tokenizer

logger = logging.getLogger(__name__)
MAX_CLOCK_SKEW = timedelta(minutes=1)  # between clocks that agree
SYNC_BATCH_MARKS = 100  # marks worked off while the write lock is held, some 0.3 s
SYNC_PAUSE_SECONDS = (
    0.05  # seconds between batches; writers look for the lock every 0.02
)
set_stamp_check(stamps.is_known_stamp)
_mark_numbers = itertools.count(1)
_this_thread = local()
MIN_PARALLEL_ENTRIES = (
    2000  # entries that one process describes before others are at work
)
MAX_REBUILD_PROCESSES = 4  # each needs some 100 MB
# Where the words of an entry's document come from.
_TOKENIZED_TEXT_LOOKUPS = (
    "question",
    "phrasings__text",
    "answer",
    "replies__text",
    "keywords",
)


def build_entry_documents(entries: EntryQuerySet) -> Iterator[Document]:
    """Yield the document of every entry, reading BATCH of them at a time."""
    vocabulary.load_current_lexicon()  # words are cut as the editors say now
    return map(build_document, load_sources(entries))


@receiver([post_save, post_delete], sender=Entry, dispatch_uid="kb.index.sync.entry")
def _mark_changed_entry(instance: Entry, **kwargs: Any) -> None:
    mark_stale([instance.pk])


@receiver([post_save, post_delete], sender=Reply, dispatch_uid="kb.index.sync.reply")
@receiver(
    [post_save, post_delete], sender=Phrasing, dispatch_uid="kb.index.sync.phrasing"
)
def _mark_entry_of_part(instance: Reply | Phrasing, **kwargs: Any) -> None:
    """What is one person's or one team's is not in the index: nobody must notice."""
    shared = isinstance(instance, Phrasing) or instance.is_shared
    if shared and instance.entry_id is not None:
        mark_stale([instance.entry_id])


@receiver(m2m_changed, sender=Entry.tags.through, dispatch_uid="kb.index.sync.tags")
def _mark_retagged_entries(
    instance: Entry | Tag, pk_set: set[int] | None, action: str, **kwargs: Any
) -> None:
    if isinstance(instance, Entry):
        mark_stale([instance.pk])
    elif action == "pre_clear":  # of a tag: afterwards nobody knows whose it was
        mark_stale(instance.entries.values_list("pk", flat=True))
    else:
        mark_stale(pk_set or ())


@receiver(pre_delete, sender=Tag, dispatch_uid="kb.index.sync.tag")
def _mark_entries_of_deleted_tag(instance: Tag, **kwargs: Any) -> None:
    mark_stale(list(instance.entries.values_list("pk", flat=True)))


@receiver(pre_save, sender=Category, dispatch_uid="kb.index.sync.category")
def _mark_moved_branch(instance: Category, **kwargs: Any) -> None:
    """Mark what stands in a branch that moves.

    A document carries the categories above its entry by number. So another
    parent changes the documents of the whole branch, another name none.
    """
    moves = Category.objects.filter(pk=instance.pk).exclude(parent=instance.parent_id)
    if instance.pk and moves.exists():
        below = instance.descendants(include_self=True)
        mark_stale(
            Entry.objects.filter(category__in=below).values_list("pk", flat=True)
        )


@receiver(post_save, sender=CampaignPeriod, dispatch_uid="kb.index.sync.window")
def _mark_entries_of_window(instance: CampaignPeriod, **kwargs: Any) -> None:
    mark_stale(list(instance.entries.values_list("pk", flat=True)))


@receiver(pre_save, sender=DictionaryWord, dispatch_uid="kb.index.sync.word.before")
def _mark_before_word_change(instance: DictionaryWord, **kwargs: Any) -> None:
    for word in DictionaryWord.objects.filter(pk=instance.pk).exclude(
        text=instance.text
    ):
        _mark_entries_containing(word.text)


@receiver(
    [post_save, post_delete], sender=DictionaryWord, dispatch_uid="kb.index.sync.word"
)
def _mark_after_word_change(instance: DictionaryWord, **kwargs: Any) -> None:
    _mark_entries_containing(instance.text)


def _mark_entries_containing(word: str) -> None:
    """Mark the entries whose texts hold `word`, in 简体 or 繁體: they are cut anew."""
    holds = Q()
    for spelling in normalize.list_script_variants(word):
        for text in _TOKENIZED_TEXT_LOOKUPS:
            holds |= Q(**{f"{text}__icontains": spelling})
    found = Entry.objects.filter(holds).order_by("pk").distinct()
    mark_stale(found.values_list("pk", flat=True))


def mark_stale(entry_ids: Iterable[int]) -> None:
    """Note that the index is behind on these entries, and catch up after commit.

    The request catches up with small lots only. The scheduler does the rest.
    """
    if _store_marks(entry_ids):
        edition.increment_edition(Entry)
        number = next(_mark_numbers)

        def run_sync_once() -> None:
            _sync_once_per_commit(number)

        # The first callback of a commit catches up for all of them.
        transaction.on_commit(run_sync_once, robust=True)


def _mark_missed_entries(entry_ids: set[int]) -> None:
    """Mark what changed while an index was rebuilt."""
    _store_marks(entry_ids)


def _store_marks(entry_ids: Iterable[int]) -> int:
    """Store a mark for each entry; return how many there are."""
    ids = list(entry_ids)
    IndexQueue.objects.bulk_create(
        (IndexQueue(entry_id=pk, lot_size=len(ids)) for pk in ids),
        batch_size=DOCUMENT_BATCH_ENTRIES,
    )
    return len(ids)


def _sync_once_per_commit(number: int) -> None:
    """Sync small lots, unless this thread did so after mark `number` was committed.

    Numbers rise. Those of one transaction are lower than the number that its
    first callback takes, and those of a later transaction are higher.
    """
    if number > getattr(_this_thread, "synced_upto", 0):
        _this_thread.synced_upto = next(_mark_numbers)
        sync_small_lots()


def sync_small_lots() -> int:
    """Sync the small lots, for a request that shows them; return marks cleared.

    It takes SMALL_LOT marks at most, the newest first. What is left is for
    `sync_all`, which the scheduler calls.
    """
    return sync_marked_entries(limit=MAX_SMALL_BATCH_ENTRIES, only_small=True)


def count_pending_marks() -> int:
    """Return how many marks wait to be worked off."""
    return IndexQueue.objects.due().count()


def sync_marked_entries(
    limit: int = DOCUMENT_BATCH_ENTRIES, *, only_small: bool = False
) -> int:
    """Bring marked entries up to date; return how many marks were cleared.

    Small lots go first, and among equals the newest. A mark made while we work is
    a new row, so clearing ours never loses it. If the engine is busy or down the
    marks stay, and the next sync finds them.
    """
    _mark_after_clock_change()
    due = IndexQueue.objects.due()
    if only_small:
        due = due.in_small_batches()
    if not due.exists():
        return 0
    try:
        marks, stamp = _write_marked_entries(due, limit)
    except EngineUnavailableError as error:
        logger.warning("index: %d marks wait: %s", count_pending_marks(), error)
        wanted = set(_list_due_marks(due, limit).values())
        autocomplete.update_completions(wanted)  # these need no engine
        translations.store_translations(wanted)
        return 0
    done = IndexQueue.objects.filter(pk__in=list(marks))
    if done.filter(due_at__gt=F("marked_at")).exists():  # an entry began or ended
        edition.increment_edition(Entry)
    with transaction.atomic():
        stamps.finish_commit(stamp)
        done.delete()
    return len(marks)


def _write_marked_entries(
    due: IndexQueueQuerySet, limit: int
) -> tuple[dict[int, int], str]:
    """Write marked entries to the engine; return the marks and the new stamp."""
    with get_engine().open_writer() as changes:
        changes.stamp = stamps.begin_commit(changes.stamp)
        marks = _list_due_marks(due, limit)
        wanted = set(marks.values())
        autocomplete.update_completions(wanted)
        translations.store_translations(wanted)
        entries = Entry.objects.searchable().filter(pk__in=wanted)
        changes.documents += build_entry_documents(entries)
        changes.deleted_ids |= wanted - {document.id for document in changes.documents}
        _schedule_validity_marks(wanted)
    return marks, changes.stamp


def _list_due_marks(due: IndexQueueQuerySet, limit: int) -> dict[int, int]:
    """Return {mark: entry id} of the marks whose turn it is."""
    first = due.order_by("lot_size", "-pk").values_list("pk", "entry_id")
    return dict(first[:limit])


def _mark_after_clock_change() -> None:
    """Mark what has begun or ended by a clock that was put back since.

    The edition was raised then, in what is the future again.
    """
    now = timezone.now()
    ahead = ContentEdition.objects.filter(raised_at__gt=now + MAX_CLOCK_SKEW).first()
    if ahead is None:
        return
    between = (now, ahead.raised_at)
    turned = Q(valid_from__range=between) | Q(valid_until__range=between)
    with transaction.atomic():
        _store_marks(Entry.objects.filter(turned).values_list("pk", flat=True))
        edition.increment_edition(Entry)


def _schedule_validity_marks(entry_ids: Collection[int]) -> None:
    """Mark the entries that begin or end later for the moment when they do."""
    now = timezone.now()
    IndexQueue.objects.filter(entry_id__in=entry_ids, due_at__gt=now).delete()
    turning = Q(valid_from__gt=now) | Q(valid_until__gt=now)
    rows = Entry.objects.searchable().filter(turning, pk__in=entry_ids)
    IndexQueue.objects.bulk_create(
        IndexQueue(entry_id=pk, due_at=min(m for m in moments if m and m > now))
        for pk, *moments in rows.values_list("pk", "valid_from", "valid_until")
    )


def sync_all_marks(most: int | None = None) -> int:
    """Sync until nothing is marked or the engine cannot; return marks cleared.

    It works in batches and pauses between them, so that a request that has saved
    gets the write lock, and the next batch begins with the newest small lot. A
    request that waits for a lot of its own stops after `most` marks: larger lots
    of others come after it.
    """
    cleared = 0
    while most is None or cleared < most:
        if not (done := sync_marked_entries(SYNC_BATCH_MARKS)):
            break
        cleared += done
        if done == SYNC_BATCH_MARKS:
            time.sleep(SYNC_PAUSE_SECONDS)
    return cleared


def rebuild_index(progress: Any = iter, processes: int = 1) -> int:
    """Remake the index beside the old one and swap; return how many entries.

    `progress` wraps the iterator of entries. More `processes` than one are for
    commands: they are forked, with the dictionaries loaded and no connection.
    Saves go on and are searchable meanwhile; they are marked again before the
    swap and caught up with after it. Raises EngineUnavailable, also when
    another rebuild is under way.
    """
    vocabulary.load_current_lexicon()
    known = list(IndexQueue.objects.due().values_list("pk", flat=True))
    if processes > 1:
        tokenizer.load_tokenizer_dictionaries()
        pinyin.load_pinyin_dictionaries()
        connections.close_all()
    entries = progress(_update_completions_of(load_sources(Entry.objects.searchable())))
    engine = get_engine()
    before = stamps.read_current_stamp(engine)
    stamp = stamps.create_index_stamp() if engine.is_stored else ""
    try:
        engine.replace_index(
            entries,
            build_document,
            missed=_mark_missed_entries,
            processes=processes,
            stamp=stamp,
        )
    except BaseException:
        stamps.forget_stamp(stamp)
        raise
    stamps.forget_stamp(before)
    autocomplete.update_completions(
        autocomplete.find_outdated_completions()
    )  # what is retired, or was changed in bulk
    # What was marked before we began is in what we read. Not "all up to the
    # last": a mark with a lower number may have been committed since.
    for start in range(0, len(known), DOCUMENT_BATCH_ENTRIES):
        IndexQueue.objects.filter(
            pk__in=known[start : start + DOCUMENT_BATCH_ENTRIES]
        ).delete()
    sync_all_marks()
    return len(engine.load_digests())


def count_indexed_entries() -> int:
    """Return how many entries the index holds. Raises EngineUnavailable."""
    return get_engine().count_documents(())


def choose_process_count() -> int:
    """Return how many processes a command's rebuild is worth; a small one, one."""
    if Entry.objects.searchable().count() < MIN_PARALLEL_ENTRIES:
        return 1
    return min(os.cpu_count() or 1, MAX_REBUILD_PROCESSES)


def _update_completions_of(found: Iterable[EntrySource]) -> Iterator[EntrySource]:
    """Yield the sources and keep the beginnings of their entries.

    By turns, so that what one has read aloud the other need not read again.
    """
    rest = iter(found)
    while batch := list(itertools.islice(rest, DOCUMENT_BATCH_ENTRIES)):
        ids = [source.id for source in batch]
        autocomplete.update_completions(ids)
        _schedule_validity_marks(ids)
        yield from batch


def audit_indexed_entries() -> set[int]:
    """Mark and return the ids on which engine and database disagree.

    What is kept for typeahead is compared, too.
    """
    held = get_engine().load_digests()
    drift = set()
    for found in build_entry_documents(Entry.objects.searchable()):
        if held.pop(found.id, None) != found.digest:
            drift.add(found.id)
    drift |= held.keys() | autocomplete.find_outdated_completions()
    mark_stale(drift)
    return drift
