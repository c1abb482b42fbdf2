"""Pages in memory are served while the database does not answer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, connections
from django.test import Client

from kb.library import entries
from kb.models import Entry
from kb.publishing import edition
from kb.system.database import forks
from kb.system.database.errors import DatabaseUnavailableError
from tests.conftest import MakeEntry


@contextmanager
def away() -> Iterator[list[str]]:
    """Let every statement fail; yield those that were tried."""
    tried: list[str] = []

    def fail(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        tried.append(sql)
        raise DatabaseUnavailableError("away")

    with connection.execute_wrapper(fail):
        yield tried


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry()


def addresses(entry: Entry) -> list[str]:
    return ["/", entry.get_absolute_url()]


@pytest.mark.django_db
def test_a_page_in_memory_is_served(client: Client, entry: Entry) -> None:
    before = [client.get(one).content for one in addresses(entry)]
    with away() as tried:
        pages = [client.get(one) for one in addresses(entry)]
        other = client.get("/api/v1/entries/")
    assert [page.content for page in pages] == before
    assert other.status_code == 503
    for page in pages:
        assert "no-store" in page.headers["Cache-Control"]
        assert "ETag" not in page.headers
    assert len([sql for sql in tried if "kb_contentedition" in sql]) == 1


@pytest.mark.django_db
def test_the_hour_may_turn_meanwhile(client: Client, entry: Entry) -> None:
    with time_machine.travel("2026-11-30 10:59:00+08:00", tick=False):
        assert client.get("/").status_code == 200
    with time_machine.travel("2026-11-30 11:01:00+08:00", tick=False), away():
        assert client.get("/").status_code == 200


@pytest.mark.django_db
def test_what_was_retired_is_not_shown_from_memory(
    client: Client, entry: Entry
) -> None:
    assert client.get(entry.get_absolute_url()).status_code == 200
    entries.retire_entry(entry, by=None)
    client.get("/")  # by which this process knows of it
    with away():
        assert client.get(entry.get_absolute_url()).status_code == 503


@pytest.mark.django_db
def test_a_process_that_knows_no_page_says_why(client: Client, entry: Entry) -> None:
    with away():
        assert client.get("/").status_code == 503


@pytest.mark.django_db
def test_memory_is_good_for_a_while_only(
    client: Client, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/").status_code == 200
    late = time.monotonic() + edition.MAX_STALE_EDITION_SECONDS + 1
    monkeypatch.setattr("kb.publishing.edition.monotonic", lambda: late)
    with away():
        assert client.get("/").status_code == 503


@pytest.mark.django_db
def test_the_database_is_asked_again_after_a_while(
    client: Client, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/")
    with away():
        client.get("/")
    assert edition.get_edition().is_stale
    later = time.monotonic() + edition.EDITION_RETRY_SECONDS + 1
    monkeypatch.setattr("kb.publishing.edition.monotonic", lambda: later)
    assert not edition.get_edition().is_stale


@pytest.mark.django_db
def test_a_save_is_seen_while_others_read(entry: Entry) -> None:
    """Only a database that failed before is spared."""
    first = edition.get_edition()
    edition.increment_edition(Entry)
    assert edition.get_edition() != first


@pytest.mark.django_db(transaction=True)
def test_a_fork_takes_no_connection_along() -> None:
    connection.ensure_connection()
    forks.close_connections()
    assert connection.connection is None
    connection.ensure_connection()
    # The object itself: the child of a test that drives a browser finds another one.
    own = connections["default"]
    child = os.fork()
    if not child:
        os._exit(0 if own.connection is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.django_db
def test_a_transaction_stays_whole_when_its_process_forks() -> None:
    forks.close_connections()
    with pytest.raises(DatabaseError), away():
        Entry.objects.count()
    assert connection.connection is not None
