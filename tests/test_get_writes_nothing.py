"""No GET writes or opens a transaction, at any address, for any role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from kb.library import entries
from kb.models import (
    ROLE_AGENT,
    ROLE_EDITOR,
    ROLE_LEAD,
    ROLE_WRITER,
    Category,
    Entry,
    User,
)
from tests.conftest import MakeEntry, MakeQuestion
from tests.test_leaks import addresses, filled

pytestmark = pytest.mark.django_db
READS = ("SELECT", "WITH", "EXPLAIN", "PRAGMA")


def is_read(sql: str) -> bool:
    """Return whether a statement neither writes nor begins a transaction."""
    return sql.lstrip().upper().startswith(READS)


@pytest.fixture
def clients(make_user: Callable[..., User]) -> dict[str, Client]:
    roles = {
        "agent": ROLE_AGENT,
        "writer": ROLE_WRITER,
        "editor": ROLE_EDITOR,
        "lead": ROLE_LEAD,
    }
    clients = {"anonymous": Client()}
    for name, group in roles.items():
        clients[name] = Client()
        clients[name].force_login(make_user(name, group, is_staff=name != "agent"))
    clients["root"] = Client()
    clients["root"].force_login(make_user("root", is_staff=True, is_superuser=True))
    return clients


@pytest.fixture
def entry(make_entry: MakeEntry, make_question: MakeQuestion) -> Entry:
    """Return a published entry with a category, replies and a pending change."""
    category = Category.objects.create(name="售后")
    entry = make_entry(
        category=category, replies=["亲，{{订单号}}"], phrasings=["运费谁出"]
    )
    make_question()
    content = entries.take_snapshot(entry) | {"answer": "待审核的答案"}
    entries.propose_change(entry, content, by=None)
    return entry


def all_urls(pk: int) -> Iterator[str]:
    for name, _, _, parts in addresses():
        if not name.endswith(":None"):
            yield from filled(name, parts, pk)
    yield from ("/search/?q=运费", "/suggest/?q=运", "/console/?q=运费")
    yield "/admin/kb/entry/?q=运费"


def test_a_get_writes_nothing(
    clients: dict[str, Client], entry: Entry, settings: Any
) -> None:
    settings.KB_QUEUE_FACTS = True  # facts of usage are written outside requests
    statements: dict[str, list[str]] = {}
    for url in dict.fromkeys(all_urls(entry.pk)):
        for role, client in clients.items():
            writes: list[str] = []

            def record(execute: Any, sql: str, *args: Any, to: Any = writes) -> Any:
                if not is_read(sql):
                    to.append(sql)
                return execute(sql, *args)

            with connection.execute_wrapper(record):
                client.get(url)
            if writes:
                statements[f"{role} {url}"] = writes
    assert statements == {}
