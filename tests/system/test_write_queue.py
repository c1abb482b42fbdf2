"""No page of reading waits for a lock of the database, and no fact is lost by it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, get_ident
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse

from kb import usage
from kb.models import Entry, PageView, RelatedEntries, Search, User
from kb.publishing import page_views
from kb.system import write_queue
from kb.system.write_queue import WriteQueue
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db(transaction=True)
ANYONE = AnonymousUser()


@pytest.fixture(autouse=True)
def _queued(settings: Any) -> Iterator[None]:
    settings.KB_QUEUE_FACTS = True
    yield
    assert write_queue.close_write_queue()


@pytest.fixture
def queue() -> Iterator[WriteQueue]:
    made = WriteQueue(max_facts=3)
    yield made
    made.close()


def keep(words: str) -> None:
    Search.objects.create(words=words, side="public", results=0)


def kept() -> list[str]:
    return sorted(Search.objects.values_list("words", flat=True))


@contextmanager
def write_lock() -> Iterator[None]:
    """Hold SQLite's only write lock, as an import does."""
    if connection.vendor != "sqlite":
        pytest.skip("elsewhere writers do not shut each other out")
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


@pytest.fixture
def impatient() -> Iterator[None]:
    """Make a request that waits for the lock fail instead."""
    if connection.vendor != "sqlite":
        pytest.skip("elsewhere writers do not shut each other out")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 1")
    yield
    connection.close()


def test_pages_are_answered_while_another_writes_and_all_facts_follow(
    make_entry: MakeEntry, client: Client, agent: User, impatient: None
) -> None:
    entry = make_entry("退货运费谁承担？")
    make_entry("退货地址在哪里？")
    words = {"q": "退货运费"}
    with write_lock():
        for address, asked in (
            (reverse("faq:home"), {}),
            (reverse("faq:search"), words),
            (entry.get_absolute_url(), words),
            (reverse("api:search"), {"q": "发票抬头"}),
        ):
            response = client.get(address, asked)
            assert response.status_code == 200, address
        page_views.flush_page_views()
        assert not Search.objects.exists()
    assert write_queue.fact_queue.flush(10)
    assert kept() == ["发票抬头", "退货运费"]
    assert Search.objects.get(words="退货运费").entry == entry
    assert PageView.objects.get(entry=entry).count == 1
    assert RelatedEntries.objects.filter(entry=entry).exists()


def test_facts_are_written_by_another_thread(queue: WriteQueue) -> None:
    threads: list[int] = []
    queue.put(lambda: threads.append(get_ident()))
    assert queue.flush(10)
    assert threads
    assert get_ident() not in threads


def test_a_bad_fact_stops_no_other(queue: WriteQueue) -> None:
    def bad() -> None:
        raise IntegrityError

    queue.put(lambda: keep("一"))
    queue.put(bad)
    queue.put(lambda: keep("二"))
    assert queue.flush(10)
    assert kept() == ["一", "二"]


def test_a_fact_is_tried_until_the_database_takes_it(
    queue: WriteQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "RETRY_DELAY_SECONDS", 0)
    tries: list[int] = []

    def locked_twice() -> None:
        tries.append(1)
        keep("退货")
        if len(tries) < 3:
            raise OperationalError("database is locked")

    queue.put(locked_twice)
    assert queue.flush(10)
    assert (len(tries), kept()) == (3, ["退货"])


def test_a_fact_that_the_database_never_takes_stops_no_other(
    queue: WriteQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "RETRY_DELAY_SECONDS", 0)
    monkeypatch.setattr(write_queue, "MAX_BATCH_TRIES", 2)

    def too_large() -> None:
        raise OperationalError("too many SQL variables")

    queue.put(lambda: keep("一"))
    queue.put(too_large)
    queue.put(lambda: keep("二"))
    assert queue.flush(10)
    assert kept() == ["一", "二"]


def test_a_database_that_is_down_raises_nothing_in_a_page(
    queue: WriteQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down() -> None:
        raise OperationalError("connection refused")

    connection.close()
    with monkeypatch.context() as patch:
        patch.setattr(connection, "connect", down)
        queue.put(lambda: keep("退货"))
    assert queue.flush(10)
    assert kept() == ["退货"]


def test_what_does_not_fit_is_counted_and_said_once(
    queue: WriteQueue, caplog: pytest.LogCaptureFixture
) -> None:
    release, begun = Event(), Event()

    def slow() -> None:
        begun.set()
        release.wait(10)

    queue.put(slow)
    assert begun.wait(10)
    for n in range(queue.max_facts + 5):
        queue.put(lambda n=n: keep(f"话{n}"))  # type: ignore[misc]
    release.set()
    assert queue.flush(10)
    assert len(kept()) == queue.max_facts
    lines = [r.getMessage() for r in caplog.records if "dropped" in r.getMessage()]
    assert lines == ["facts: 1 dropped, the queue is full"]


def test_a_process_that_ends_writes_what_waits(queue: WriteQueue) -> None:
    queue.call_before_close(lambda: queue.put(lambda: keep("最后")))
    queue.put(lambda: keep("先前"))
    assert queue.close(10)
    assert kept() == ["先前", "最后"]
    queue.put(lambda: keep("又来"))  # and it begins again
    assert queue.flush(10)
    assert "又来" in kept()


def test_a_fact_of_a_transaction_that_is_rolled_back_is_none(queue: WriteQueue) -> None:
    with pytest.raises(LookupError), transaction.atomic():
        queue.put(lambda: keep("退货"))
        raise LookupError
    assert queue.flush(10)
    assert kept() == []


def test_a_reading_finds_the_search_that_another_process_writes_later(
    make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "DELAYED_WRITE_SECONDS", 0.01)
    entry = make_entry("退货运费谁承担？")
    usage.record_opened_entry("退货", entry_id=entry.pk, user=ANYONE, person="a")
    # The other process has the older search in its own queue.
    usage.record_search("退货", user=ANYONE, results=1, person="a")
    assert write_queue.close_write_queue()
    assert Search.objects.get().entry == entry


def test_an_entry_that_is_deleted_meanwhile_takes_no_search_along(
    make_entry: MakeEntry,
) -> None:
    entry = make_entry(status="draft")
    with transaction.atomic():
        usage.record_search("退货", user=ANYONE, results=1, entry=entry)
        usage.record_search("换货", user=ANYONE, results=1)
        Entry.objects.filter(pk=entry.pk).delete()
    assert write_queue.fact_queue.flush(10)
    assert kept() == ["换货"]
