"""Copies of agents are recorded as usage and become evidence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from kb import usage
from kb.index import sync
from kb.library import entries, replies
from kb.models import (
    ROLE_AGENT,
    CopyEvent,
    Entry,
    Pick,
    Reply,
    Search,
    SearchSide,
    User,
)
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


def post_copy(client: Client, entry: Entry, /, **more: Any) -> Any:
    return client.post(URL, {"q": "邮费谁出", "entry": entry.pk} | more)


def test_a_copy_is_a_search_and_a_pick(
    console: Client, entry: Entry, agent: User
) -> None:
    reply = entry.replies.get()
    response = post_copy(console, entry, reply=reply.pk, rank=2, total=7)
    assert (response.status_code, response.content) == (204, b"")
    search, pick = Search.objects.get(), Pick.objects.get()
    assert (search.words, search.side, search.by) == (
        "邮费谁出",
        SearchSide.STAFF,
        agent,
    )
    assert (search.results, search.entry, search.rank) == (7, entry, 2)
    assert (pick.entry, pick.side, pick.rank) == (entry, SearchSide.STAFF, 2)
    assert (pick.kind, pick.person) == (Pick.Kind.COPIED, f"u{agent.pk}")


def test_copy_is_recorded_with_all_facts(
    console: Client, entry: Entry, agent: User
) -> None:
    reply = entry.replies.get()
    facts = {"channel": "sms", "took_ms": 2100, "conversation": "c0ffee"}
    post_copy(
        console, entry, q="打 13800138000 问", reply=reply.pk, rank=2, total=7, **facts
    )
    copy = CopyEvent.objects.get()
    assert (copy.entry, copy.reply, copy.variant) == (entry, reply, reply.label)
    assert (copy.kind, copy.rank, copy.by) == (CopyEvent.Kind.REPLY, 2, agent)
    assert {name: getattr(copy, name) for name in facts} == facts
    assert "13800138000" not in copy.words
    reply.delete()
    copy.refresh_from_db()
    assert (copy.reply, copy.variant) == (None, "标准")


def test_reply_without_entry_is_recorded_and_makes_no_evidence(
    console: Client, entry: Entry, agent: User, make_user: Callable[..., User]
) -> None:
    mine = replies.save_private_reply(
        Reply(owner=agent, title="早安", body="早上好"), by=agent
    )
    talk = {"conversation": "c0ffee"}
    response = console.post(URL, {"q": "早", "entry": f"r{mine.pk}", **talk})
    assert response.status_code == 204
    copy = CopyEvent.objects.get()
    assert (copy.entry, copy.reply, copy.by) == (None, mine, agent)
    assert not Search.objects.exists()
    assert not Pick.objects.exists()
    post_copy(console, entry, **talk)
    assert usage.list_recently_copied_ids(agent) == [entry.pk]
    assert usage.list_often_copied_ids(timezone.now() - timedelta(days=1)) == [entry.pk]
    mate = make_user("mate", ROLE_AGENT)
    theirs = replies.save_private_reply(
        Reply(owner=mate, title="早安", body="早上好"), by=mate
    )
    refused = console.post(URL, {"q": "早", "entry": f"r{theirs.pk}"})
    assert (refused.status_code, CopyEvent.objects.count()) == (400, 2)


@pytest.mark.parametrize("words", ["", " ", "\x00"])
def test_a_copy_without_words_is_no_search(
    console: Client, entry: Entry, words: str
) -> None:
    assert post_copy(console, entry, q=words, kind="link").status_code == 204
    assert CopyEvent.objects.get().kind == CopyEvent.Kind.LINK
    assert not Search.objects.exists()
    assert not Pick.objects.exists()


def test_basket_is_recorded_completely_and_in_order(
    console: Client, entry: Entry, make_entry: MakeEntry
) -> None:
    other = make_entry("发票怎么开？", replies=["点开发票"])
    reply = other.replies.get()
    basket = {
        "entry": [other.pk, entry.pk],
        "reply": [reply.pk, ""],
        "q": ["发票", ""],
        "rank": [1, ""],
        "kind": "basket",
        "conversation": "c0ffee",
    }
    assert console.post(URL, basket).status_code == 204
    copies = list(CopyEvent.objects.order_by("id"))
    assert [(c.entry, c.reply, c.words, c.rank) for c in copies] == [
        (other, reply, "发票", 1),
        (entry, None, "", None),
    ]
    assert {(c.kind, c.conversation) for c in copies} == {("basket", "c0ffee")}
    assert Pick.objects.get().entry == other


def test_basket_with_a_retired_entry_is_not_recorded(
    console: Client, entry: Entry, make_entry: MakeEntry
) -> None:
    gone = make_entry("旧的", status="retired")
    answer = console.post(URL, {"entry": [entry.pk, gone.pk], "q": ["一", "二"]})
    assert answer.status_code == 404
    assert not CopyEvent.objects.exists()
    assert not Search.objects.exists()


def test_words_of_a_copy_are_erased_with_the_searches(
    console: Client, entry: Entry
) -> None:
    post_copy(console, entry)
    CopyEvent.objects.update(at=timezone.now() - timedelta(days=91))
    usage.refresh_evidence()
    assert CopyEvent.objects.get().words == ""


def test_picks_of_two_agents_change_the_results_of_a_third(
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
        clients[-1].force_login(make_user(name, ROLE_AGENT))
    for client in clients[:2]:
        assert not finds(clients[2])
        assert post_copy(client, entry, q="要自己付邮费吗").status_code == 204
        sync.sync_all_marks()
    assert finds(clients[2])


def test_only_agents_can_record_copies(
    client: Client, entry: Entry, make_user: Callable[..., User]
) -> None:
    assert post_copy(client, entry).status_code == 403
    client.force_login(make_user("customer"))
    assert post_copy(client, entry).status_code == 403
    assert not Search.objects.exists()


def test_csrf_token_is_required(agent: User, entry: Entry) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(agent)
    assert post_copy(strict, entry).status_code == 403
    assert strict.get("/console/").status_code == 200
    token = strict.cookies["csrftoken"].value
    sent = {"q": "邮费", "entry": entry.pk}
    assert strict.post(URL, sent, headers={"X-CSRFToken": token}).status_code == 204


def test_only_post_is_allowed(console: Client) -> None:
    assert console.get(URL).status_code == 405


@pytest.mark.parametrize(
    "wrong",
    [
        {"entry": ""},
        {"entry": "x"},
        {"entry": 2**63},
        {"reply": "x"},
        {"reply": 999_999},
        {"rank": 0},
        {"rank": "nan"},
        {"total": -1},
        {"kind": "letter"},
        {"channel": "fax"},
        {"took_ms": -1},
        {"took_ms": 86_400_001},
        {"conversation": "x" * 25},
        {"conversation": "a b"},
        {"entry": [1] * 21},
    ],
)
def test_malformed_copy_is_refused_with_a_message(
    console: Client, entry: Entry, wrong: dict[str, Any]
) -> None:
    response = post_copy(console, entry, **wrong)
    assert response.status_code == 400
    assert response.text.startswith("没有记下")
    assert "\n" not in response.text
    assert not Search.objects.exists()
    assert not Pick.objects.exists()
    assert not CopyEvent.objects.exists()


def test_unknown_entry_is_not_picked(
    console: Client, entry: Entry, make_entry: MakeEntry
) -> None:
    entries.retire_entry(entry, by=None)
    for gone in (entry, make_entry(status="draft"), Entry(pk=999_999)):
        assert post_copy(console, gone).status_code == 404
    assert not Search.objects.exists()


def test_the_reply_must_be_of_the_entry(
    console: Client, entry: Entry, make_entry: MakeEntry
) -> None:
    other = make_entry("别的", replies=["别的话"]).replies.get()
    assert post_copy(console, entry, reply=other.pk).status_code == 400


def test_search_page_is_recorded_and_suggestions_are_not(
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
    assert (row.words, row.side, row.by) == ("运费谁出", SearchSide.PUBLIC, None)
    assert (row.results, row.entry) == (0, None)


def test_a_search_whose_record_fails_is_answered(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("disk is full")

    monkeypatch.setattr(Search, "save", fail)
    assert client.get("/search/", {"q": "运费"}).status_code == 200


def test_search_without_an_index_is_not_recorded(
    client: Client, settings: Any, tmp_path: Any
) -> None:
    settings.KB_ENGINE = {
        "BACKEND": "kb.index.engines.whoosh.WhooshEngine",
        "PATH": tmp_path / "never-built",
    }
    client.get("/search/", {"q": "运费"})
    assert not Search.objects.exists()
