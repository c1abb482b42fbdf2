"""接下来客户常问: follow-ups of the editors, then what several people copied next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from kb import usage
from kb.library import entries
from kb.models import ROLE_AGENT, CopyEvent, Entry, FollowUp, User
from tests.conftest import MakeEntry

URL = "/console/next/"
pytestmark = pytest.mark.django_db
Talk = Callable[..., None]


@pytest.fixture
def shop(make_entry: MakeEntry) -> list[Entry]:
    return [make_entry(f"{name}？") for name in ("退货", "运费", "退款", "发票")]


@pytest.fixture
def two(make_user: Callable[..., User]) -> list[User]:
    return [make_user(name, ROLE_AGENT) for name in ("one", "two")]


@pytest.fixture
def talk() -> Talk:
    """Return a function by which a user copies entries in one conversation."""
    number = [0]

    def make(by: User, *copied: Entry, days: float = 1, **facts: Any) -> None:
        number[0] += 1
        start = timezone.now() - timedelta(days=days)
        for step, entry in enumerate(copied):
            facts.setdefault("kind", "reply")
            facts.setdefault("conversation", f"c{number[0]}")
            at = start + timedelta(minutes=step)
            CopyEvent.objects.create(entry=entry, by=by, at=at, **facts)

    return make


def list_next(entry: Entry, user: User) -> list[Entry]:
    return [sequel.entry for sequel in usage.list_next_entries(entry, user=user)]


def test_entry_copied_next_by_two_persons_is_listed(
    shop: list[Entry], two: list[User], talk: Talk
) -> None:
    returned, freight, refund, _ = shop
    for user in two:
        talk(user, returned, freight, refund)
    assert list_next(returned, two[0]) == [freight]
    assert list_next(freight, two[0]) == [refund]
    assert list_next(refund, two[0]) == []


def test_entry_copied_next_by_one_person_is_not_listed(
    shop: list[Entry], two: list[User], talk: Talk
) -> None:
    for _ in range(9):
        talk(two[0], shop[0], shop[1])
    assert list_next(shop[0], two[0]) == []
    talk(two[1], shop[0], shop[1])
    assert list_next(shop[0], two[1]) == [shop[1]]


def test_another_conversation_is_another_customer(
    shop: list[Entry], two: list[User], talk: Talk
) -> None:
    for user in two:
        talk(user, shop[0])
        talk(user, shop[1])
        talk(user, shop[0], shop[2], conversation="")  # of an unknown conversation
    assert list_next(shop[0], two[0]) == []


def test_a_token_shared_by_two_people_is_two_conversations(
    shop: list[Entry], two: list[User], talk: Talk
) -> None:
    talk(two[0], shop[0], shop[1], conversation="same")
    talk(two[1], shop[2], shop[3], conversation="same", days=0.9)
    talk(two[1], shop[1], shop[2], conversation="other")
    assert list_next(shop[1], two[0]) == []


def test_copying_the_same_entry_again_is_not_next(
    shop: list[Entry], two: list[User], talk: Talk
) -> None:
    for user in two:
        talk(user, shop[0], shop[0], shop[1])
    assert list_next(shop[0], two[0]) == [shop[1]]


def test_copies_of_one_basket_do_not_follow_each_other(
    shop: list[Entry], two: list[User]
) -> None:
    now = timezone.now()
    for user in two:
        for step, entry in enumerate(shop[:2]):
            CopyEvent.objects.create(
                entry=entry,
                by=user,
                kind="basket",
                conversation=f"basket{user.pk}",
                at=now + timedelta(milliseconds=step),
            )
        CopyEvent.objects.create(
            entry=shop[2],
            by=user,
            kind="reply",
            conversation=f"basket{user.pk}",
            at=now + timedelta(minutes=2),
        )
    assert list_next(shop[0], two[0]) == [shop[2]]
    assert list_next(shop[1], two[0]) == [shop[2]]


def test_recent_copies_weigh_more_and_old_ones_nothing(
    shop: list[Entry], two: list[User], talk: Talk
) -> None:
    for user in two:
        talk(user, shop[0], shop[1], days=100)
        talk(user, shop[0], shop[2], days=2)
        talk(user, shop[0], shop[3], days=400)
    assert list_next(shop[0], two[0]) == [shop[2], shop[1]]


def test_strength_per_person_is_capped(
    shop: list[Entry], two: list[User], talk: Talk, make_user: Callable[..., User]
) -> None:
    for _ in range(20):
        talk(two[0], shop[0], shop[1])
    talk(two[1], shop[0], shop[1])
    for name in "abcde":
        talk(make_user(name, ROLE_AGENT), shop[0], shop[2])
    assert list_next(shop[0], two[0]) == [shop[2], shop[1]]


def test_follow_ups_come_first_without_duplicates(
    shop: list[Entry], two: list[User], talk: Talk
) -> None:
    for user in two:
        talk(user, shop[0], shop[1])
        talk(user, shop[0], shop[2])
    FollowUp.objects.create(entry=shop[0], then=shop[3], order=1)
    FollowUp.objects.create(entry=shop[0], then=shop[2], order=2)
    found = usage.list_next_entries(shop[0], user=two[0])
    assert [row.entry for row in found] == [shop[3], shop[2], shop[1]]
    assert [row.is_chosen_by_editor for row in found] == [True, True, False]


def test_there_are_never_more_than_five(
    make_entry: MakeEntry, two: list[User], talk: Talk
) -> None:
    entry = make_entry()
    for n in range(7):
        then = make_entry(f"后续{n}？")
        for user in two:
            talk(user, entry, then)
    assert len(list_next(entry, two[0])) == 5


def test_readers_get_readable_entries_only(
    shop: list[Entry], two: list[User], talk: Talk, make_entry: MakeEntry
) -> None:
    draft = make_entry("草稿？", status="draft")
    FollowUp.objects.create(entry=shop[0], then=draft)
    for user in two:
        talk(user, shop[0], shop[1])
    entries.retire_entry(shop[1], by=None)
    assert list_next(shop[0], two[0]) == []


# The fragment ------------------------------------------------------------------------


@pytest.fixture
def console(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


def test_console_gets_a_fragment(console: Client, shop: list[Entry]) -> None:
    assert console.get(URL, {"entry": shop[0].pk}).status_code == 204
    FollowUp.objects.create(entry=shop[0], then=shop[1])
    page = console.get(f"{URL}?entry={shop[0].pk}&q=退货%26运费")
    assert page.status_code == 200
    assert "<html" not in page.text
    assert f'data-next="{shop[1].pk}"' in page.text
    assert "编辑推荐" in page.text


def test_unknown_entry_is_not_found(
    console: Client, make_entry: MakeEntry, client: Client
) -> None:
    draft = make_entry(status="draft")
    for wrong in (draft.pk, 999_999, "x", 2**63, ""):
        assert console.get(f"{URL}?entry={wrong}").status_code == 404, wrong


def test_next_entries_are_for_agents_only(
    client: Client, make_user: Callable[..., User]
) -> None:
    assert client.get(URL, {"entry": 1}).status_code == 302
    client.force_login(make_user("customer"))
    assert client.get(URL, {"entry": 1}).status_code == 403
