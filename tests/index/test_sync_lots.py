"""A request syncs the small lot that it saved; the scheduler syncs large lots."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.test import Client
from django.urls import reverse

from kb import usage
from kb.index import sync
from kb.index.engines import EngineUnavailableError, get_engine
from kb.library import entries
from kb.models import Category, Entry, Evidence, IndexQueue, Pick, SearchSide, User
from kb.models.index_queue import MAX_SMALL_BATCH_ENTRIES
from kb.search import search_entries
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
MANY = MAX_SMALL_BATCH_ENTRIES + 5


def found(words: str, **options: Any) -> list[int]:
    hits = search_entries(words, user=AnonymousUser(), **options).hits
    return [hit.entry.pk for hit in hits]


@pytest.fixture
def branch(make_entry: MakeEntry) -> Category:
    """A category with more entries than a request syncs."""
    sync.rebuild_index()
    category: Category = Category.objects.create(name="法规")
    Entry.objects.bulk_create(
        Entry(question=f"第 {n} 条法规怎么办理", category=category, status="published")
        for n in range(MANY)
    )
    sync.rebuild_index()
    return category


def move(branch: Category) -> None:
    branch.parent = Category.objects.create(name="政务")
    branch.save()


def test_a_save_is_found_while_a_moved_branch_is_pending(
    branch: Category, make_entry: MakeEntry, transactional_db: None
) -> None:
    entry = make_entry("如何申请退款")
    with transaction.atomic():
        move(branch)
    assert sync.count_pending_marks() == MANY
    with transaction.atomic():
        entries.update_entry(
            entry, by=None, based_on=entry.version, question="发票抬头"
        )
    assert found("发票抬头") == [entry.pk]
    assert sync.count_pending_marks() == MANY


def test_the_scheduler_takes_the_newest_small_lot_first(branch: Category) -> None:
    move(branch)
    for pk in (-1, -2, -3):
        sync.mark_stale([pk])
    synced: list[int] = []
    with mock.patch("kb.index.autocomplete.update_completions", synced.extend):
        sync.sync_marked_entries(limit=2)
    assert sorted(synced) == [-3, -2]


def test_a_large_lot_is_synced_in_the_end(branch: Category) -> None:
    move(branch)
    assert sync.sync_all_marks() == MANY
    assert sync.count_pending_marks() == 0
    assert sync.audit_indexed_entries() == set()


def test_a_request_with_a_lot_of_its_own_does_not_sync_larger_ones(
    branch: Category, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "SYNC_BATCH_MARKS", 2)
    own_ids = [make_entry(f"如何申请退款 {n}", status="draft").pk for n in range(4)]
    IndexQueue.objects.all().delete()
    move(branch)
    sync.mark_stale(own_ids)
    assert sync.sync_all_marks(max_marks=len(own_ids)) == len(own_ids)
    assert sync.count_pending_marks() == MANY


def test_a_request_stops_after_a_small_lot(make_entry: MakeEntry) -> None:
    for n in range(MANY):
        sync.mark_stale([-n])
    assert sync.sync_small_lots() == MAX_SMALL_BATCH_ENTRIES
    assert sync.count_pending_marks() == MANY - MAX_SMALL_BATCH_ENTRIES


def test_another_name_of_a_category_marks_no_entry(branch: Category) -> None:
    branch.name = "法律法规"
    branch.save()
    assert not IndexQueue.objects.exists()
    assert sync.audit_indexed_entries() == set()


def test_a_category_moved_to_the_top_moves_its_entries(branch: Category) -> None:
    move(branch)
    sync.sync_all_marks()
    top, branch.parent = branch.parent, None
    branch.save()
    sync.sync_all_marks()
    assert found("第 3 条法规怎么办理", category=top) == []
    assert sync.audit_indexed_entries() == set()


def test_marks_of_one_transaction_are_synced_once_and_of_the_next_again(
    transactional_db: None,
) -> None:
    down = mock.patch.object(
        get_engine(), "open_writer", side_effect=EngineUnavailableError
    )
    with down as writing:
        with transaction.atomic():
            for _ in range(3):
                sync.mark_stale([-1])
        with transaction.atomic():
            sync.mark_stale([-1])
    assert writing.call_count == 2


def test_a_mark_in_a_savepoint_that_was_rolled_back_stops_no_other(
    transactional_db: None,
) -> None:
    down = mock.patch.object(
        get_engine(), "open_writer", side_effect=EngineUnavailableError
    )
    with down as writing, transaction.atomic():
        with pytest.raises(LookupError), transaction.atomic():
            sync.mark_stale([-1])
            raise LookupError
        sync.mark_stale([-2])
    assert writing.call_count == 1
    assert list(IndexQueue.objects.values_list("entry_id", flat=True)) == [-2]


def test_ageing_marks_all_entries_of_a_batch_at_once(
    make_entry: MakeEntry, transactional_db: None
) -> None:
    entry_list = [make_entry(f"如何申请退款 {n}") for n in range(3)]
    for entry in entry_list:
        for person in ("a", "b"):
            usage.record_pick(
                entry,
                words="退钱",
                person=person,
                side=SearchSide.PUBLIC,
                kind=Pick.Kind.HELPFUL,
            )
    Evidence.objects.update(level=3)
    with mock.patch.object(sync, "mark_stale", wraps=sync.mark_stale) as mark:
        assert usage.update_aged_evidence() == len(entry_list)
    assert [set(call.args[0]) for call in mark.call_args_list] == [
        {entry.pk for entry in entry_list}
    ]


def test_the_admin_shows_how_many_entries_are_pending(
    branch: Category, client: Client, lead: User
) -> None:
    client.force_login(lead)
    quiet = client.get(reverse("admin:index")).content.decode()
    move(branch)
    busy = client.get(reverse("admin:index")).content.decode()
    assert "搜索正在更新" not in quiet
    assert f"搜索正在更新：{MANY} 条还没跟上" in busy
