"""An open page polls running announcements and gets only what changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb.models import Announcement, User
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
NOTICES = reverse("console:notices")


def announce(title: str = "华东仓停电", **columns: Any) -> Announcement:
    now = timezone.now()
    times = {
        "starts_at": now - timedelta(hours=1),
        "ends_at": now + timedelta(hours=1),
    }
    announcement = Announcement(
        title=title, **{"keywords": "发货 物流", **times, **columns}
    )
    announcement.full_clean()
    announcement.save()
    return announcement


@pytest.fixture
def desk(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


def test_all_running_announcements_come_and_say_whether_they_match(
    desk: Client,
) -> None:
    announce()
    announce("顺丰停运", keywords="顺丰")
    announce("以前的", ends_at=timezone.now() - timedelta(minutes=1))
    page = desk.get(NOTICES, {"q": "什么时候发货"}).text
    assert page.count('data-matches="yes"') == page.count('data-matches="no"') == 1
    assert "以前的" not in page
    assert desk.get(NOTICES).text.count('data-matches="yes"') == 2


def test_what_is_known_is_not_sent_again(desk: Client) -> None:
    announcement = announce()
    first = desk.get(NOTICES, {"q": "发货"})
    assert "no-store" in first.headers["Cache-Control"]

    def again(words: str = "发货") -> Any:
        known = {"If-None-Match": first.headers["ETag"]}
        return desk.get(NOTICES, {"q": words}, headers=known)

    unchanged = again()
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert again("发票").status_code == 200  # it matches no more
    Announcement.objects.filter(pk=announcement.pk).update(body_html="<p>恢复了</p>")
    assert "恢复了" in again().text
    Announcement.objects.filter(pk=announcement.pk).update(
        body_html="", ends_at=timezone.now()
    )
    ended = again()
    assert (ended.status_code, ended.text.strip()) == (200, "")


def test_asking_costs_few_queries_when_nothing_runs(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    known = {"If-None-Match": desk.get(NOTICES).headers["ETag"]}
    with django_assert_max_num_queries(6):
        assert desk.get(NOTICES, headers=known).status_code == 304


def test_only_staff_get_them(client: Client) -> None:
    announce(audience="staff")
    assert client.get(NOTICES).status_code == 403
    assert client.post(NOTICES).status_code == 405


def test_the_entry_is_named_only_to_who_may_read_it(
    desk: Client, make_entry: MakeEntry
) -> None:
    announce(entry=make_entry("草稿里的问题？", status="draft"))
    assert "草稿里的问题" not in desk.get(NOTICES).text


@pytest.mark.parametrize("address", ["desk:asked", "console:home"])
def test_pages_where_agents_answer_show_announcements(
    desk: Client, address: str
) -> None:
    announce()
    assert "华东仓停电" in desk.get(reverse(address)).text
