"""The index follows the database, whatever goes wrong between them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from unittest import mock

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from kb import entries, index
from kb.engines import EngineUnavailable, get_engine
from kb.models import Category, Entry, Reply, Stale, User
from kb.search import search
from tests.conftest import MakeEntry

ANYONE = AnonymousUser()
CaptureCommits = Callable[..., object]
pytestmark = pytest.mark.django_db


def found(
    words: str, user: User | AnonymousUser = ANYONE, **options: object
) -> list[int]:
    return [hit.entry.pk for hit in search(words, user=user, **options).hits]  # type: ignore[arg-type]


def test_a_published_entry_is_found_after_commit(
    django_capture_on_commit_callbacks: CaptureCommits,
) -> None:
    index.rebuild()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        entry = entries.draft(
            "如何申请退款", by=None, answer="点退款", audience="public"
        )
        entries.publish(entry, by=None)
    assert found("退款") == [entry.pk]
    assert not Stale.objects.exists()


def test_a_rolled_back_save_leaves_no_mark(make_entry: MakeEntry) -> None:
    entry = make_entry()
    with pytest.raises(RuntimeError), transaction.atomic():
        entry.save()
        raise RuntimeError
    assert not Stale.objects.exists()


def test_marks_wait_while_the_engine_is_down(make_entry: MakeEntry) -> None:
    entry = make_entry("如何申请退款")
    with mock.patch.object(get_engine(), "writing", side_effect=EngineUnavailable):
        entries.revise(entry, by=None, based_on=entry.version, question="发票抬头")
        assert index.sync() == 0
    assert Stale.objects.count() == 1
    index.sync()
    assert (found("发票"), Stale.objects.count()) == ([entry.pk], 0)


def test_a_mark_made_while_syncing_is_kept(make_entry: MakeEntry) -> None:
    entry = make_entry()
    index.mark([entry.pk])
    read = index.documents

    def read_and_mark(queryset: object) -> object:
        index.mark([entry.pk])
        return read(queryset)  # type: ignore[arg-type]

    with mock.patch.object(index, "documents", read_and_mark):
        assert index.sync() == 1
    assert Stale.objects.count() == 1


def test_internal_wording_cannot_be_probed_by_outsiders(
    make_entry: MakeEntry, agent: User
) -> None:
    entry = make_entry(replies=["最多可以额外赔付五元"], keywords="pfwy")
    assert (found("赔付"), found("pfwy")) == ([], [])
    assert (found("赔付", agent), found("pfwy", agent)) == ([entry.pk], [entry.pk])


def test_a_changed_reply_is_found(make_entry: MakeEntry, agent: User) -> None:
    entry = make_entry(replies=["请稍等"])
    Reply.objects.get(entry=entry).delete()
    Reply.objects.create(entry=entry, body="包邮哦")
    index.sync_all()
    assert (found("稍等", agent), found("包邮", agent)) == ([], [entry.pk])


def test_a_phrasing_is_found(make_entry: MakeEntry) -> None:
    entry = make_entry("退货运费谁承担", phrasings=["寄回去的邮费算谁的"])
    make_entry("发票抬头怎么改")
    assert found("邮费") == [entry.pk]


def test_a_retired_entry_leaves_the_index(make_entry: MakeEntry) -> None:
    entry = make_entry()
    entries.retire(entry, by=None)
    index.sync_all()
    assert get_engine().digests() == {}


def test_a_deleted_entry_leaves_the_index(make_entry: MakeEntry) -> None:
    make_entry(status="draft").delete()
    index.sync_all()
    assert get_engine().digests() == {}


def test_a_moved_category_moves_its_entries(make_entry: MakeEntry) -> None:
    after, shipping = (Category.objects.create(name=n) for n in ("售后", "物流"))
    freight = Category.objects.create(name="运费", parent=shipping)
    entry = make_entry(category=freight)
    assert found("运费", category=after) == []
    freight.parent = after
    freight.save()
    index.sync_all()
    assert found("运费", category=after) == [entry.pk]
    assert found("运费", category=shipping) == []


def test_audit_finds_what_a_bulk_update_hid(make_entry: MakeEntry) -> None:
    entry = make_entry("如何申请退款")
    Entry.objects.update(question="发票抬头")
    assert found("发票") == []
    assert index.audit() == {entry.pk}
    index.sync()
    assert found("发票") == [entry.pk]
    assert index.audit() == set()


def test_audit_finds_what_the_engine_should_not_hold(make_entry: MakeEntry) -> None:
    entry = make_entry()
    Entry.objects.update(status="retired")
    assert index.audit() == {entry.pk}
    index.sync()
    assert get_engine().digests() == {}


def test_a_new_analysis_is_drift(make_entry: MakeEntry) -> None:
    entry = make_entry()
    with mock.patch("kb.text.segment.words", return_value=["x"]):
        assert index.audit() == {entry.pk}


def test_rebuild_catches_up_with_what_changed_meanwhile(make_entry: MakeEntry) -> None:
    entry = make_entry("如何申请退款")

    def edit_meanwhile(documents: object) -> object:
        held = list(documents)  # type: ignore[call-overload]
        entries.revise(entry, by=None, based_on=entry.version, question="发票抬头")
        return held

    index.rebuild(edit_meanwhile)
    assert found("发票") == [entry.pk]
    assert not Stale.objects.exists()


def test_one_transaction_syncs_once(
    make_entry: MakeEntry, transactional_db: None
) -> None:
    entry = make_entry()
    down = mock.patch.object(get_engine(), "writing", side_effect=EngineUnavailable)
    with down as writing:
        with transaction.atomic():
            index.mark([entry.pk])
            index.mark([entry.pk])
        assert writing.call_count == 1


def test_what_waits_is_caught_up_with(
    make_entry: MakeEntry, transactional_db: None
) -> None:
    entry = make_entry("如何申请退款")
    done = threading.Event()
    with mock.patch.object(get_engine(), "writing", side_effect=EngineUnavailable):
        entries.revise(entry, by=None, based_on=entry.version, question="发票抬头")
    sync_all = index.sync_all

    def sync_and_tell() -> int:
        cleared = sync_all()
        if cleared:
            done.set()
        return cleared

    with mock.patch.object(index, "sync_all", sync_and_tell):
        stop = threading.Event()
        thread = index.keep_up(stop, interval=0.01)
        assert done.wait(10)
        stop.set()
        thread.join()
    assert found("发票") == [entry.pk]
