"""A customer votes on an entry, without an account, a cookie or a script."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from kb.index import sync
from kb.library import entries
from kb.models import Entry, Evidence, Pick, SearchSide, User, Vote
from kb.search import search_entries
from kb.web.faq import votes
from tests.conftest import MakeEntry

WORDS = "要自己付邮费吗"
pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry()


def form(client: Client, entry: Entry, words: str = "") -> dict[str, str]:
    """Return what the form on the page of `entry` would send, without its button."""
    page = client.get(entry.get_absolute_url(), {"q": words} if words else {})
    (found,) = re.findall(r'<form class="helpful.*?</form>', page.text, re.S)
    fields = re.findall(r'name="(token|q)" value="(.*?)"', found)
    return {name: unescape(value) for name, value in fields}


def vote(
    entry: Entry,
    helpful: str = "yes",
    words: str = WORDS,
    address: str = "198.51.100.7",
) -> Any:
    client = Client(REMOTE_ADDR=address, enforce_csrf_checks=True)
    sent = form(client, entry, words) | {"helpful": helpful}
    return client.post(f"/vote/{entry.pk}/", sent)


def test_a_customer_votes_and_is_thanked(entry: Entry) -> None:
    response = vote(entry)
    assert response.status_code == 200
    assert "谢谢反馈" in response.text
    assert f'href="{entry.get_absolute_url()}?q={quote(WORDS)}"' in response.text
    assert response.cookies == {}
    assert "no-store" in response["Cache-Control"]
    row = Vote.objects.get()
    assert (row.entry, row.helpful, row.words) == (entry, True, WORDS)
    assert "198.51" not in row.person


def test_words_that_helped_two_customers_find_the_entry(
    entry: Entry, make_entry: MakeEntry
) -> None:
    make_entry("发票抬头怎么改？", "在订单里改。")
    for last in (7, 8):
        assert search_entries(WORDS, user=AnonymousUser()).hits == ()
        vote(entry, address=f"198.51.100.{last}")
        sync.sync_all_marks()
    assert [hit.entry for hit in search_entries(WORDS, user=AnonymousUser()).hits] == [
        entry
    ]


def test_one_customer_votes_once_and_may_change_it(entry: Entry) -> None:
    for helpful in ("yes", "yes", "no"):
        vote(entry, helpful)
    assert Vote.objects.get().helpful is False
    assert not Pick.objects.exists()


def test_a_vote_of_staff_counts_for_staff(entry: Entry, agent: User) -> None:
    client = Client()
    client.force_login(agent)
    sent = form(client, entry, WORDS) | {"helpful": "yes"}
    assert client.post(f"/vote/{entry.pk}/", sent).status_code == 200
    pick = Pick.objects.get()
    assert (pick.side, pick.person) == (SearchSide.STAFF, f"u{agent.pk}")


def test_a_vote_without_words_teaches_nothing(entry: Entry) -> None:
    vote(entry, words="")
    assert (Vote.objects.count(), Pick.objects.count()) == (1, 0)


def test_the_query_is_in_the_form_and_not_in_the_canonical_address(
    entry: Entry,
) -> None:
    client = Client()
    page = client.get("/search/", {"q": "退货运费"}).text
    link = f"{entry.get_absolute_url()}?q={quote('退货运费')}"
    assert f'href="{link}"' in page
    moved = client.get(f"/q/{entry.pk}/", {"q": "退货运费", "page": "3"})
    assert (moved.status_code, moved["Location"]) == (301, link)
    read = client.get(link).text
    canonical = f"http://testserver{entry.get_absolute_url()}"
    assert f'<link rel="canonical" href="{canonical}">' in read
    assert "noindex" not in read
    assert form(client, entry, "退货运费")["q"] == "退货运费"
    assert "q" not in form(client, entry)


def test_near_entries_keep_the_query_too(entry: Entry) -> None:
    page = Client().get("/search/", {"q": "榴莲承包"}).text
    assert f'href="{entry.get_absolute_url()}?q={quote("榴莲承包")}"' in page


def test_the_query_is_escaped(entry: Entry) -> None:
    page = Client().get(entry.get_absolute_url(), {"q": '"><script>x</script>'}).text
    assert "<script>x" not in page


def test_a_page_does_not_change_within_a_day(entry: Entry) -> None:
    one, other = (Client().get(entry.get_absolute_url()) for _ in range(2))
    assert one["ETag"] == other["ETag"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": ""},
        {"token": "739000:x"},
        {"token": "x"},
        {"helpful": ""},
        {"helpful": "maybe"},
    ],
)
def test_a_forged_form_is_refused(entry: Entry, wrong: dict[str, str]) -> None:
    client = Client()
    sent = form(client, entry) | {"helpful": "yes"} | wrong
    response = client.post(f"/vote/{entry.pk}/", sent)
    assert (response.status_code, Vote.objects.count()) == (400, 0)
    assert "没有记下" in response.text


def test_a_token_is_for_one_entry_and_for_two_days(
    entry: Entry, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    sent = form(client, entry) | {"helpful": "yes"}
    other = make_entry("别的问题？")
    assert client.post(f"/vote/{other.pk}/", sent).status_code == 400
    today = timezone.now()
    for days, status in ((1, 200), (2, 400)):
        later = today + timedelta(days=days)
        monkeypatch.setattr(votes, "_get_day_number", later.toordinal)
        assert client.post(f"/vote/{entry.pk}/", sent).status_code == status


def test_a_cross_site_vote_is_refused(entry: Entry) -> None:
    client = Client()
    sent = form(client, entry) | {"helpful": "yes"}
    for site, status in (("cross-site", 400), ("same-site", 400), ("same-origin", 200)):
        headers = {"Sec-Fetch-Site": site}
        response = client.post(f"/vote/{entry.pk}/", sent, headers=headers)
        assert response.status_code == status


def test_an_unreadable_entry_cannot_be_voted_on(
    entry: Entry, make_entry: MakeEntry
) -> None:
    client = Client()
    sent = form(client, entry) | {"helpful": "yes"}
    nothing = client.post("/vote/999999/", sent)
    entries.retire_entry(entry, by=None)
    hidden = [entry, make_entry(audience="internal"), make_entry(status="draft")]
    for one in hidden:
        refused = client.post(
            f"/vote/{one.pk}/", sent | {"token": votes.make_vote_token(one)}
        )
        assert refused.status_code == nothing.status_code == 404
        assert refused.content == nothing.content
    assert not Vote.objects.exists()


def test_a_draft_has_no_vote_form(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    client.force_login(editor)
    draft = make_entry(status="draft")
    assert "这条有帮助吗" not in client.get(draft.get_absolute_url()).text


def test_votes_are_rate_limited(entry: Entry) -> None:
    statuses = [vote(entry).status_code for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2


def test_a_vote_needs_post(entry: Entry) -> None:
    assert Client().get(f"/vote/{entry.pk}/").status_code == 405


def test_hostile_words_cause_no_error(entry: Entry) -> None:
    client = Client()
    for words in ("\x00", "\ud800", "退" * 5000, "13812345678"):
        sent = form(client, entry) | {"helpful": "yes"}
        sent["q"] = words.encode("utf-8", "replace").decode()
        assert client.post(f"/vote/{entry.pk}/", sent).status_code == 200
    assert not Evidence.objects.exists()
