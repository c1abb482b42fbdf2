"""Keep the engine a copy of the searchable entries, by an outbox.

Saving an entry marks it as stale in the same transaction: a row of IndexQueue. After the
commit `sync_small_lots` reads marked entries and updates or deletes their documents; the
scheduler works off the rest. `audit_indexed_entries` finds what both missed, such as a
bulk update or a crash, and marks it.
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
MAX_CLOCK_SKEW = timedelta(minutes=1)  # that clocks of several machines may differ
SYNC_BATCH_MARKS = 100  # under one hold of the write lock: some 0.3 s
SYNC_PAUSE_SECONDS = 0.05  # between batches: writers try the lock every 0.02
set_stamp_check(stamps.is_known_stamp)
_mark_numbers = itertools.count(1)
_this_thread = local()
MIN_PARALLEL_ENTRIES = 2000  # with fewer, several processes are not faster than one
MAX_REBUILD_PROCESSES = 4  # each needs some 100 MB of memory
# Lookups of the texts that the tokenizer cuts for an entry's document.
_TOKENIZED_TEXT_LOOKUPS = (
    "question",
    "phrasings__text",
    "answer",
    "replies__text",
    "keywords",
)


def build_entry_documents(entries: EntryQuerySet) -> Iterator[Document]:
    """Yield the document of every entry, read in batches of DOCUMENT_BATCH_ENTRIES."""
    vocabulary.load_current_lexicon()  # the tokenizer must know the vocabulary in force
    return map(build_document, load_sources(entries))


@receiver([post_save, post_delete], sender=Entry, dispatch_uid="kb.index.sync.entry")
def _mark_changed_entry(instance: Entry, **kwargs: Any) -> None:
    mark_stale([instance.pk])


@receiver([post_save, post_delete], sender=Reply, dispatch_uid="kb.index.sync.reply")
@receiver(
    [post_save, post_delete], sender=Phrasing, dispatch_uid="kb.index.sync.phrasing"
)
def _mark_entry_of_part(instance: Reply | Phrasing, **kwargs: Any) -> None:
    """Mark the entry of a phrasing or a shared reply; private replies are not indexed."""
    shared = isinstance(instance, Phrasing) or instance.is_shared
    if shared and instance.entry_id is not None:
        mark_stale([instance.entry_id])


@receiver(m2m_changed, sender=Entry.tags.through, dispatch_uid="kb.index.sync.tags")
def _mark_retagged_entries(
    instance: Entry | Tag, pk_set: set[int] | None, action: str, **kwargs: Any
) -> None:
    if isinstance(instance, Entry):
        mark_stale([instance.pk])
    elif action == "pre_clear":  # of a tag: its entries are unknown afterwards
        mark_stale(instance.entries.values_list("pk", flat=True))
    else:
        mark_stale(pk_set or ())


@receiver(pre_delete, sender=Tag, dispatch_uid="kb.index.sync.tag")
def _mark_entries_of_deleted_tag(instance: Tag, **kwargs: Any) -> None:
    mark_stale(list(instance.entries.values_list("pk", flat=True)))


@receiver(pre_save, sender=Category, dispatch_uid="kb.index.sync.category")
def _mark_moved_branch(instance: Category, **kwargs: Any) -> None:
    """Mark the entries in a branch that gets another parent.

    A document has labels with the ids of the categories above its entry: another
    parent changes the documents of the whole branch, another name changes none.
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
    """Mark the entries whose texts contain `word`, in 简体 or 繁體, to be tokenized again."""
    contains_word = Q()
    for spelling in normalize.list_script_variants(word):
        for text in _TOKENIZED_TEXT_LOOKUPS:
            contains_word |= Q(**{f"{text}__icontains": spelling})
    entries = Entry.objects.filter(contains_word).order_by("pk").distinct()
    mark_stale(entries.values_list("pk", flat=True))


def mark_stale(entry_ids: Iterable[int]) -> None:
    """Mark entries whose documents are out of date, and sync after the commit.

    The request syncs small lots only; the scheduler syncs the rest.
    """
    if _store_marks(entry_ids):
        edition.increment_edition(Entry)
        number = next(_mark_numbers)

        def run_sync_once() -> None:
            _sync_once_per_commit(number)

        # The first callback of a commit syncs for all of them.
        transaction.on_commit(run_sync_once, robust=True)


def _mark_missed_entries(entry_ids: set[int]) -> None:
    """Mark entries that were changed while an index was rebuilt."""
    _store_marks(entry_ids)


def _store_marks(entry_ids: Iterable[int]) -> int:
    """Store a mark for each entry; return how many."""
    ids = list(entry_ids)
    IndexQueue.objects.bulk_create(
        (IndexQueue(entry_id=pk, lot_size=len(ids)) for pk in ids),
        batch_size=DOCUMENT_BATCH_ENTRIES,
    )
    return len(ids)


def _sync_once_per_commit(number: int) -> None:
    """Sync small lots, unless this thread did so after mark `number` was committed.

    Numbers rise: those of one transaction are lower than the one that its first
    callback takes, those of a later transaction are higher.
    """
    if number > getattr(_this_thread, "synced_upto", 0):
        _this_thread.synced_upto = next(_mark_numbers)
        sync_small_lots()


def sync_small_lots() -> int:
    """Sync small lots within a request; return how many marks were cleared.

    That are at most MAX_SMALL_BATCH_ENTRIES marks, the newest first. The scheduler
    clears the rest by `sync_all_marks`.
    """
    return sync_marked_entries(limit=MAX_SMALL_BATCH_ENTRIES, only_small=True)


def count_pending_marks() -> int:
    """Return how many marks are due and not cleared."""
    return IndexQueue.objects.due().count()


def sync_marked_entries(
    limit: int = DOCUMENT_BATCH_ENTRIES, *, only_small: bool = False
) -> int:
    """Update the documents of marked entries; return how many marks were cleared.

    Small lots come first, then the newest marks. A mark made meanwhile is a new row,
    so clearing these does not lose it. While the engine is busy or down the marks
    stay, and the next sync finds them.
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
        entry_ids = set(_list_due_marks(due, limit).values())
        autocomplete.update_completions(entry_ids)  # neither needs the engine
        translations.store_translations(entry_ids)
        return 0
    written = IndexQueue.objects.filter(pk__in=list(marks))
    if written.filter(due_at__gt=F("marked_at")).exists():  # a validity began or ended
        edition.increment_edition(Entry)
    with transaction.atomic():
        stamps.finish_commit(stamp)
        written.delete()
    return len(marks)


def _write_marked_entries(
    due: IndexQueueQuerySet, limit: int
) -> tuple[dict[int, int], str]:
    """Write marked entries to the engine; return {mark: entry id} and the new stamp."""
    with get_engine().open_writer() as changes:
        changes.stamp = stamps.begin_commit(changes.stamp)
        marks = _list_due_marks(due, limit)
        entry_ids = set(marks.values())
        autocomplete.update_completions(entry_ids)
        translations.store_translations(entry_ids)
        entries = Entry.objects.searchable().filter(pk__in=entry_ids)
        changes.documents += build_entry_documents(entries)
        indexed_ids = {document.id for document in changes.documents}
        changes.deleted_ids |= entry_ids - indexed_ids
        _schedule_validity_marks(entry_ids)
    return marks, changes.stamp


def _list_due_marks(due: IndexQueueQuerySet, limit: int) -> dict[int, int]:
    """Return {mark: entry id} of the first `limit` marks, small lots first."""
    marks = due.order_by("lot_size", "-pk").values_list("pk", "entry_id")
    return dict(marks[:limit])


def _mark_after_clock_change() -> None:
    """Mark entries whose validity began or ended by a clock that was then set back.

    Such a clock is noticed by an edition that was raised in the future.
    """
    now = timezone.now()
    ahead = ContentEdition.objects.filter(raised_at__gt=now + MAX_CLOCK_SKEW).first()
    if ahead is None:
        return
    period = (now, ahead.raised_at)
    changes = Q(valid_from__range=period) | Q(valid_until__range=period)
    with transaction.atomic():
        _store_marks(Entry.objects.filter(changes).values_list("pk", flat=True))
        edition.increment_edition(Entry)


def _schedule_validity_marks(entry_ids: Collection[int]) -> None:
    """Mark entries for the next moment at which their validity begins or ends."""
    now = timezone.now()
    IndexQueue.objects.filter(entry_id__in=entry_ids, due_at__gt=now).delete()
    changes_later = Q(valid_from__gt=now) | Q(valid_until__gt=now)
    rows = Entry.objects.searchable().filter(changes_later, pk__in=entry_ids)
    IndexQueue.objects.bulk_create(
        IndexQueue(entry_id=pk, due_at=min(t for t in times if t and t > now))
        for pk, *times in rows.values_list("pk", "valid_from", "valid_until")
    )


def sync_all_marks(max_marks: int | None = None) -> int:
    """Sync until no mark is due or the engine is unavailable; return marks cleared.

    It pauses between batches, so that a request that has saved gets the write lock;
    the next batch then begins with its small lot. A request that waits for a lot of
    its own gives that lot's size as `max_marks`: larger lots of others come later.
    """
    total = 0
    while max_marks is None or total < max_marks:
        if not (cleared := sync_marked_entries(SYNC_BATCH_MARKS)):
            break
        total += cleared
        if cleared == SYNC_BATCH_MARKS:
            time.sleep(SYNC_PAUSE_SECONDS)
    return total


def rebuild_index(progress: Any = iter, processes: int = 1) -> int:
    """Build a new index beside the old one and swap; return how many entries it has.

    `progress` wraps the iterator of entries. More than one of `processes` is for
    commands: they are forked after dictionaries are loaded and connections closed.
    Saves meanwhile are searchable in the old index, are marked again before the swap
    and synced after it. Raises EngineUnavailableError, RebuildRunningError when
    another rebuild runs.
    """
    vocabulary.load_current_lexicon()
    marks_before = list(IndexQueue.objects.due().values_list("pk", flat=True))
    if processes > 1:
        tokenizer.load_tokenizer_dictionaries()
        pinyin.load_pinyin_dictionaries()
        connections.close_all()
    entries = progress(_update_completions_of(load_sources(Entry.objects.searchable())))
    engine = get_engine()
    old_stamp = stamps.read_current_stamp(engine)
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
    stamps.forget_stamp(old_stamp)
    # Those of retired entries, and of entries changed in bulk.
    autocomplete.update_completions(autocomplete.find_outdated_completions())
    # Entries marked before the rebuild began were read by it. Marks are deleted by their
    # ids, not up to the last: one with a lower id may have been committed since.
    for start in range(0, len(marks_before), DOCUMENT_BATCH_ENTRIES):
        batch = marks_before[start : start + DOCUMENT_BATCH_ENTRIES]
        IndexQueue.objects.filter(pk__in=batch).delete()
    sync_all_marks()
    return len(engine.load_digests())


def count_indexed_entries() -> int:
    """Return how many entries are indexed. Raises EngineUnavailableError."""
    return get_engine().count_documents(())


def choose_process_count() -> int:
    """Return in how many processes a command should rebuild; 1 for a small library."""
    if Entry.objects.searchable().count() < MIN_PARALLEL_ENTRIES:
        return 1
    return min(os.cpu_count() or 1, MAX_REBUILD_PROCESSES)


def _update_completions_of(sources: Iterable[EntrySource]) -> Iterator[EntrySource]:
    """Yield `sources`, and store completions of their entries batch by batch.

    Both need the pinyin of the same texts, which is cached for a while.
    """
    rest = iter(sources)
    while batch := list(itertools.islice(rest, DOCUMENT_BATCH_ENTRIES)):
        ids = [source.id for source in batch]
        autocomplete.update_completions(ids)
        _schedule_validity_marks(ids)
        yield from batch


def audit_indexed_entries() -> set[int]:
    """Mark and return the ids of entries whose document or completions are out of date.

    Raises EngineUnavailableError.
    """
    digests = get_engine().load_digests()
    outdated = set()
    for document in build_entry_documents(Entry.objects.searchable()):
        if digests.pop(document.id, None) != document.digest:
            outdated.add(document.id)
    outdated |= digests.keys() | autocomplete.find_outdated_completions()
    mark_stale(outdated)
    return outdated
