"""What an agent copies is remembered, for the search and nobody's eyes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client

from kb import entries, index
from kb.models import AGENT, Entry, Pick, Search, Side, User
from tests.conftest import MakeEntry

URL = "/console/pick/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry(replies=["亲，运费我们出。"], audience="internal")


@pytest.fixture
def console(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


def tell(client: Client, entry: Entry, /, **more: Any) -> Any:
    return client.post(URL, {"q": "邮费谁出", "entry": entry.pk} | more)


def test_a_copy_is_a_search_and_a_pick(
    console: Client, entry: Entry, agent: User
) -> None:
    reply = entry.replies.get()
    response = tell(console, entry, reply=reply.pk, rank=2, total=7)
    assert (response.status_code, response.content) == (204, b"")
    search, pick = Search.objects.get(), Pick.objects.get()
    assert (search.words, search.side, search.by) == ("邮费谁出", Side.STAFF, agent)
    assert (search.results, search.entry, search.rank) == (7, entry, 2)
    assert (pick.entry, pick.side, pick.rank) == (entry, Side.STAFF, 2)
    assert (pick.kind, pick.person) == (Pick.Kind.COPIED, f"u{agent.pk}")


def test_two_agents_teach_the_third(
    entry: Entry,
    make_entry: MakeEntry,
    make_user: Callable[..., User],
) -> None:
    def finds(client: Client) -> bool:
        page = client.get("/console/", {"q": "要自己付邮费吗"})
        return f'id="option-{entry.pk}"' in page.text

    make_entry("发票抬头怎么改？", "在订单里改。")
    clients = []
    for name in ("one", "two", "three"):
        clients.append(Client())
        clients[-1].force_login(make_user(name, AGENT))
    for client in clients[:2]:
        assert not finds(clients[2])
        assert tell(client, entry, q="要自己付邮费吗").status_code == 204
        index.sync_all()
    assert finds(clients[2])


def test_only_agents_are_listened_to(
    client: Client, entry: Entry, make_user: Callable[..., User]
) -> None:
    assert tell(client, entry).status_code == 403
    client.force_login(make_user("nobody"))
    assert tell(client, entry).status_code == 403
    assert not Search.objects.exists()


def test_it_takes_no_forged_request(agent: User, entry: Entry) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(agent)
    assert tell(strict, entry).status_code == 403
    assert strict.get("/console/").status_code == 200
    token = strict.cookies["csrftoken"].value
    sent = {"q": "邮费", "entry": entry.pk}
    assert strict.post(URL, sent, headers={"X-CSRFToken": token}).status_code == 204


def test_it_is_only_posted_to(console: Client) -> None:
    assert console.get(URL).status_code == 405


@pytest.mark.parametrize(
    "wrong",
    [
        {"q": ""},
        {"q": "\x00"},
        {"entry": ""},
        {"entry": "x"},
        {"entry": 2**63},
        {"reply": "x"},
        {"reply": 999_999},
        {"rank": 0},
        {"rank": "nan"},
        {"total": -1},
    ],
)
def test_what_cannot_be_understood_is_refused_in_one_line(
    console: Client, entry: Entry, wrong: dict[str, Any]
) -> None:
    response = tell(console, entry, **wrong)
    assert response.status_code == 400
    assert response.text.startswith("没有记下")
    assert "\n" not in response.text
    assert not Search.objects.exists()
    assert not Pick.objects.exists()


def test_an_entry_that_is_not_there_is_not_picked(
    console: Client, entry: Entry, make_entry: MakeEntry
) -> None:
    entries.retire(entry, by=None)
    for gone in (entry, make_entry(status="draft"), Entry(pk=999_999)):
        assert tell(console, gone).status_code == 404
    assert not Search.objects.exists()


def test_the_reply_must_be_of_the_entry(
    console: Client, entry: Entry, make_entry: MakeEntry
) -> None:
    other = make_entry("别的", replies=["别的话"]).replies.get()
    assert tell(console, entry, reply=other.pk).status_code == 400


def test_a_search_page_is_recorded_once_and_keystrokes_are_not(
    client: Client, console: Client, entry: Entry
) -> None:
    stranger = Client()
    stranger.get("/search/", {"q": "运费谁出"})
    stranger.get("/search/", {"q": "运费谁出", "page": "2"})
    stranger.get("/suggest/", {"q": "运"})
    stranger.head("/search/", {"q": "运费谁出"})
    stranger.get("/search/")
    console.get("/console/", {"q": "运费"})
    row = Search.objects.get()
    assert (row.words, row.side, row.by) == ("运费谁出", Side.PUBLIC, None)
    assert (row.results, row.entry) == (0, None)


def test_a_search_whose_record_fails_is_answered(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("disk is full")

    monkeypatch.setattr(Search, "save", fail)
    assert client.get("/search/", {"q": "运费"}).status_code == 200


def test_a_search_of_titles_alone_says_nothing_of_the_library(
    client: Client, settings: Any, tmp_path: Any
) -> None:
    settings.KB_ENGINE = {
        "BACKEND": "kb.engines.whoosh.WhooshEngine",
        "PATH": tmp_path / "never-built",
    }
    client.get("/search/", {"q": "运费"})
    assert not Search.objects.exists()
