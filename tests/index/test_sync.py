"""The index follows the database through rollbacks, failures and rebuilds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from django.db import transaction

from kb.index import sync
from kb.index.documents import EntrySource
from kb.index.engines import EngineUnavailableError, get_engine
from kb.library import entries
from kb.management.commands import kb_index
from kb.models import Category, DictionaryWord, Entry, IndexQueue, Reply, User
from kb.search import search_entries
from tests.conftest import MakeEntry

ANYONE = AnonymousUser()
CaptureCommits = Callable[..., object]
pytestmark = pytest.mark.django_db


def found(
    words: str, user: User | AnonymousUser = ANYONE, **options: object
) -> list[int]:
    return [hit.entry.pk for hit in search_entries(words, user=user, **options).hits]  # type: ignore[arg-type]


def test_a_published_entry_is_found_after_commit(
    django_capture_on_commit_callbacks: CaptureCommits,
) -> None:
    sync.rebuild_index()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        entry = entries.create_draft(
            "如何申请退款", by=None, answer="点退款", audience="public"
        )
        entries.publish_entry(entry, by=None)
    assert found("退款") == [entry.pk]
    assert not IndexQueue.objects.exists()


def test_a_rolled_back_save_leaves_no_mark(make_entry: MakeEntry) -> None:
    entry = make_entry()
    with pytest.raises(RuntimeError), transaction.atomic():
        entry.save()
        raise RuntimeError
    assert not IndexQueue.objects.exists()


def test_marks_stay_while_the_engine_is_down(make_entry: MakeEntry) -> None:
    entry = make_entry("如何申请退款")
    with mock.patch.object(
        get_engine(), "open_writer", side_effect=EngineUnavailableError
    ):
        entries.update_entry(
            entry, by=None, based_on=entry.version, question="发票抬头"
        )
        assert sync.sync_marked_entries() == 0
    assert IndexQueue.objects.count() == 1
    sync.sync_marked_entries()
    assert (found("发票"), IndexQueue.objects.count()) == ([entry.pk], 0)


def test_a_mark_made_while_syncing_is_kept(make_entry: MakeEntry) -> None:
    entry = make_entry()
    sync.mark_stale([entry.pk])
    read = sync.build_entry_documents

    def read_and_mark(queryset: object) -> object:
        sync.mark_stale([entry.pk])
        return read(queryset)  # type: ignore[arg-type]

    with mock.patch.object(sync, "build_entry_documents", read_and_mark):
        assert sync.sync_marked_entries() == 1
    assert IndexQueue.objects.count() == 1


def test_customers_cannot_probe_internal_texts(
    make_entry: MakeEntry, agent: User
) -> None:
    entry = make_entry(replies=["最多可以额外赔付五元"], keywords="pfwy")
    assert (found("赔付"), found("pfwy")) == ([], [])
    assert (found("赔付", agent), found("pfwy", agent)) == ([entry.pk], [entry.pk])


def test_a_changed_reply_is_found(make_entry: MakeEntry, agent: User) -> None:
    entry = make_entry(replies=["请稍等"])
    Reply.objects.get(entry=entry).delete()
    Reply.objects.create(entry=entry, body="包邮哦")
    sync.sync_all_marks()
    assert (found("稍等", agent), found("包邮", agent)) == ([], [entry.pk])


def test_a_phrasing_is_found(make_entry: MakeEntry) -> None:
    entry = make_entry("退货运费谁承担", phrasings=["寄回去的邮费算谁的"])
    make_entry("发票抬头怎么改")
    assert found("邮费") == [entry.pk]


def test_a_retired_entry_leaves_the_index(make_entry: MakeEntry) -> None:
    entry = make_entry()
    entries.retire_entry(entry, by=None)
    sync.sync_all_marks()
    assert get_engine().load_digests() == {}


def test_a_deleted_entry_leaves_the_index(make_entry: MakeEntry) -> None:
    make_entry(status="draft").delete()
    sync.sync_all_marks()
    assert get_engine().load_digests() == {}


def test_a_moved_category_moves_its_entries(make_entry: MakeEntry) -> None:
    after, shipping = (Category.objects.create(name=n) for n in ("售后", "物流"))
    freight = Category.objects.create(name="运费", parent=shipping)
    entry = make_entry(category=freight)
    assert found("运费", category=after) == []
    freight.parent = after
    freight.save()
    sync.sync_all_marks()
    assert found("运费", category=after) == [entry.pk]
    assert found("运费", category=shipping) == []


def test_audit_marks_entries_of_a_bulk_update(make_entry: MakeEntry) -> None:
    entry = make_entry("如何申请退款")
    Entry.objects.update(question="发票抬头")
    assert found("发票") == []
    assert sync.audit_indexed_entries() == {entry.pk}
    sync.sync_marked_entries()
    assert found("发票") == [entry.pk]
    assert sync.audit_indexed_entries() == set()


def test_audit_marks_documents_of_retired_entries(make_entry: MakeEntry) -> None:
    entry = make_entry()
    Entry.objects.update(status="retired")
    assert sync.audit_indexed_entries() == {entry.pk}
    sync.sync_marked_entries()
    assert get_engine().load_digests() == {}


def test_audit_marks_entries_that_are_tokenized_differently(
    make_entry: MakeEntry,
) -> None:
    entry = make_entry()
    with mock.patch("kb.text.chinese.tokenizer.tokenize_text", return_value=["x"]):
        assert sync.audit_indexed_entries() == {entry.pk}


def test_rebuild_syncs_changes_made_meanwhile(make_entry: MakeEntry) -> None:
    entry = make_entry("如何申请退款")

    def edit_meanwhile(documents: object) -> object:
        sources = list(documents)  # type: ignore[call-overload]
        entries.update_entry(
            entry, by=None, based_on=entry.version, question="发票抬头"
        )
        return sources

    sync.rebuild_index(edit_meanwhile)
    assert found("发票") == [entry.pk]
    assert not IndexQueue.objects.exists()


def test_one_transaction_syncs_once(
    make_entry: MakeEntry, transactional_db: None
) -> None:
    entry = make_entry()
    down = mock.patch.object(
        get_engine(), "open_writer", side_effect=EngineUnavailableError
    )
    with down as writing:
        with transaction.atomic():
            sync.mark_stale([entry.pk])
            sync.mark_stale([entry.pk])
        assert writing.call_count == 1


def test_a_save_during_a_rebuild_is_found_at_once_and_after_it(
    make_entry: MakeEntry,
) -> None:
    old = make_entry("如何申请退款")
    new: list[int] = []

    def meanwhile(sources: Iterable[EntrySource]) -> Iterator[EntrySource]:
        yield from sources
        new.append(make_entry("发票抬头").pk)
        entries.retire_entry(old, by=None)
        sync.sync_all_marks()
        assert (found("发票"), found("退款")) == (new, [])

    sync.rebuild_index(meanwhile)
    assert (found("发票"), found("退款")) == (new, [])
    assert not IndexQueue.objects.exists()


def test_a_rebuild_that_fails_loses_no_save(make_entry: MakeEntry) -> None:
    make_entry("如何申请退款")
    new: list[int] = []

    def fail(sources: Iterable[EntrySource]) -> Iterator[EntrySource]:
        new.append(make_entry("发票抬头").pk)
        raise LookupError

    with pytest.raises(LookupError):
        sync.rebuild_index(fail)  # type: ignore[arg-type, unused-ignore]
    assert found("发票") == new


def test_a_mark_made_as_a_rebuild_begins_is_kept(make_entry: MakeEntry) -> None:
    """Its id may be lower than that of a mark which the rebuild has read."""
    entry = make_entry("如何申请退款")
    IndexQueue.objects.create(pk=1000, entry_id=entry.pk)

    def commit_late(sources: Iterable[EntrySource]) -> Iterator[EntrySource]:
        yield from sources
        Entry.objects.update(question="发票抬头")
        IndexQueue.objects.create(pk=999, entry_id=entry.pk)

    sync.rebuild_index(commit_late)
    assert found("发票") == [entry.pk]


def test_entries_are_read_in_batches(make_entry: MakeEntry) -> None:
    made = {make_entry(f"订单{n}").pk for n in range(5)}
    with mock.patch.object(sync, "DOCUMENT_BATCH_ENTRIES", 2):
        assert {
            d.id for d in sync.build_entry_documents(Entry.objects.searchable())
        } == made


def test_a_command_rebuilds_in_several_processes(
    make_entry: MakeEntry, transactional_db: None, settings: Any, tmp_path: Path
) -> None:
    settings.KB_ENGINE = {
        "BACKEND": "kb.index.engines.whoosh.WhooshEngine",
        "PATH": tmp_path,
    }
    made = [make_entry("如何申请退款").pk, make_entry("发票抬头").pk]
    DictionaryWord.objects.create(text="请退")  # loaded in the parent process only
    with (
        mock.patch.object(sync, "MIN_PARALLEL_ENTRIES", 1),
        mock.patch("os.cpu_count", return_value=2),
    ):
        call_command("kb_index", "rebuild", stdout=(out := StringIO()))
    assert "已重建：2 条" in out.getvalue()
    assert (found("退款"), found("发票")) == (made[:1], made[1:])
    assert sync.audit_indexed_entries() == set()


def test_a_second_rebuild_is_refused_in_one_line(
    make_entry: MakeEntry, settings: Any, tmp_path: Path
) -> None:
    settings.KB_ENGINE = {
        "BACKEND": "kb.index.engines.whoosh.WhooshEngine",
        "PATH": tmp_path,
    }
    make_entry("如何申请退款")

    def again(sources: Iterable[EntrySource]) -> Iterator[EntrySource]:
        with pytest.raises(CommandError, match="索引正在重建，等它结束后再试"):
            call_command("kb_index", "rebuild")
        yield from sources

    assert sync.rebuild_index(again) == 1


def test_a_rebuild_prints_its_progress_and_speed() -> None:
    line = kb_index.format_progress(1500, 4500, 3.0)
    assert line == "1500/4500 条，每秒 500 条，还需 0 分 06 秒"
