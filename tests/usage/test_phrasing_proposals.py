"""Editors judge the words after which people picked an entry."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from kb import usage
from kb.models import Entry, Evidence, Pick, SearchSide, User
from tests.conftest import MakeEntry

URL = "/desk/phrasings/"
WORDS = "寄回去的邮费谁出"
pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    """An entry that three customers and two colleagues picked after other words."""
    entry = make_entry()
    sides = [
        *[(SearchSide.PUBLIC, n) for n in "abc"],
        *[(SearchSide.STAFF, n) for n in "de"],
    ]
    for side, person in sides:
        usage.record_pick(
            entry, words=WORDS, person=person, side=side, kind=Pick.Kind.COPIED
        )
    return entry


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def post_judgement(client: Client, entry: Entry, do: str) -> Any:
    key = Evidence.objects.filter(words=WORDS).values_list("words_key", flat=True)
    sent = {"do": do, "words": key.first() or "x"}
    return client.post(f"{URL}{entry.pk}/", sent, follow=True)


def test_page_is_for_editors_only(client: Client, agent: User, entry: Entry) -> None:
    for user, status in ((None, 302), (agent, 403)):
        if user:
            client.force_login(user)
        assert client.get(URL).status_code == status
        assert client.post(f"{URL}{entry.pk}/", {"do": "accept"}).status_code == status


def test_proposal_shows_words_persons_and_entry(desk: Client, entry: Entry) -> None:
    page = desk.get(URL).text
    assert WORDS in page
    assert entry.question in page
    assert "3 位顾客、2 位同事这样搜过" in page


def test_every_desk_page_counts_proposals(desk: Client, entry: Entry) -> None:
    for address in ("/desk/inbox/", "/desk/drafts/", URL):
        assert '相似问法 <span class="number">1</span>' in desk.get(address).text
    post_judgement(desk, entry, "refuse")
    assert '相似问法 <span class="number">' not in desk.get(URL).text


def test_accepting_adds_the_phrasing_by_the_editor(
    desk: Client, entry: Entry, editor: User
) -> None:
    page = post_judgement(desk, entry, "accept").text
    assert f"「{WORDS}」已收为「{entry}」的相似问法。" in page
    now = Entry.objects.get(pk=entry.pk)
    assert [p.text for p in now.phrasings.all()] == [WORDS]
    assert (now.version, now.updated_by) == (entry.version + 1, editor)
    assert "现在没有建议" in page


def test_refused_proposal_is_not_shown_again(desk: Client, entry: Entry) -> None:
    page = post_judgement(desk, entry, "refuse").text
    assert f"不再建议「{WORDS}」。" in page
    assert "现在没有建议" in page
    assert not entry.phrasings.exists()


def test_refusal_can_be_undone(desk: Client, entry: Entry) -> None:
    page = post_judgement(desk, entry, "refuse").text
    assert f"撤销：不要「{WORDS}」" in page
    page = post_judgement(desk, entry, "restore").text
    assert f"已撤销，「{WORDS}」回到建议里了。" in page
    assert "3 位顾客、2 位同事这样搜过" in page
    assert "撤销：不要" not in page
    assert "撤销：不要" not in desk.get(URL, {"entry": "x", "words": "y"}).text


def test_deleted_proposal_or_entry_gets_a_message(desk: Client, entry: Entry) -> None:
    Evidence.objects.all().delete()
    for do in ("accept", "refuse"):
        assert "这条建议已经不在了" in post_judgement(desk, entry, do).text
    Entry.objects.all().delete()
    assert "这个条目已经不在了" in post_judgement(desk, entry, "accept").text


def test_an_unknown_button_does_nothing(desk: Client, entry: Entry) -> None:
    assert WORDS in post_judgement(desk, entry, "x").text
    assert not entry.phrasings.exists()


def test_words_are_escaped(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry()
    for person in "abc":
        usage.record_pick(
            entry,
            words="<img src=x>邮费",
            person=person,
            side=SearchSide.PUBLIC,
            kind=Pick.Kind.HELPFUL,
        )
    assert "<img src=x>" not in desk.get(URL).text
