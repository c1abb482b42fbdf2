"""公告: above the results while it lasts, for whom it is meant, gone to the minute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from kb.models import Announcement, Entry, User
from kb.publishing import announcements
from kb.text.chinese.keyword_matching import KeywordMatcher
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
Announce = Callable[..., Announcement]


@pytest.fixture
def announce() -> Announce:
    def make(title: str = "顺丰停运通知", **columns: Any) -> Announcement:
        now = timezone.now()
        columns_of_form = {
            "title": title,
            "body": "大雪，**暂停**揽收。",
            "keywords": "顺丰\n停运",
            "starts_at": now - HOUR,
            "ends_at": now + HOUR,
            "audience": "public",
        }
        announcement = Announcement(**{**columns_of_form, **columns})
        announcement.full_clean()
        announcement.save()
        return announcement

    return make


def titles(user: Any, **about: Any) -> list[str]:
    return [
        running.announcement.title
        for running in announcements.list_running_announcements(user, **about)
    ]


# When and for whom -----------------------------------------------------------------


def test_it_runs_from_its_start_to_the_minute_of_its_end(
    announce: Announce, monkeypatch: pytest.MonkeyPatch
) -> None:
    announcement = announce()
    for moment, shown in (
        (announcement.starts_at - timedelta(seconds=1), False),
        (announcement.starts_at, True),
        (announcement.ends_at - timedelta(seconds=1), True),
        (announcement.ends_at, False),
    ):
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)
        assert bool(titles(AnonymousUser())) is shown, moment


def test_the_state_says_the_same(
    announce: Announce, monkeypatch: pytest.MonkeyPatch
) -> None:
    announcement = announce()
    for moment, state in (
        (announcement.starts_at - HOUR, "未开始"),
        (announcement.starts_at, "进行中"),
        (announcement.ends_at, "已结束"),
    ):
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)
        assert announcement.state.label == state


def test_customers_see_only_public_ones(announce: Announce, agent: User) -> None:
    announce("公开的")
    announce("内部的", audience="staff")
    assert titles(AnonymousUser()) == ["公开的"]
    assert set(titles(agent)) == {"公开的", "内部的"}


def test_a_stranger_with_an_account_is_a_customer(
    announce: Announce, make_user: Callable[..., User]
) -> None:
    announce("内部的", audience="staff")
    assert titles(make_user("nobody")) == []


def test_the_one_that_began_last_comes_first(announce: Announce) -> None:
    now = timezone.now()
    announce("旧的", starts_at=now - 3 * HOUR)
    announce("新的", starts_at=now - HOUR)
    assert titles(AnonymousUser()) == ["新的", "旧的"]


# Which words ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "words", "meant"),
    [
        ("顺丰", "顺丰到哪了", True),
        ("顺丰", "順豐到哪了", True),
        ("順豐", "顺丰到哪了", True),
        ("支付失败", "我支付的时候总是失败", True),
        ("停运", "快递是不是停运了呀", True),
        ("停运", "暂停运费险", False),
        ("鲸喜卡", "我的鲸喜卡怎么没到账", True),
        ("APP", "ａｐｐ 打不开", True),
        ("app", "apple 充值", False),
        ("wifi", "Wi-Fi 连不上", True),
        ("顺丰", "圆通到哪了", False),
        ("双11", "双11 发货慢", True),
        ("404", "打开是404", True),
        ("系统维护", "系统 维护", True),
        ("顺丰", "", False),
    ],
)
def test_a_keyword_is_met_in_whatever_spelling(
    keyword: str, words: str, meant: bool
) -> None:
    assert KeywordMatcher(words).has_keyword(keyword) is meant


def test_it_is_shown_above_results_for_one_of_its_keywords(
    announce: Announce,
) -> None:
    announce()
    assert titles(AnonymousUser(), words="順豐什么时候到") == ["顺丰停运通知"]
    assert titles(AnonymousUser(), words="怎么退款") == []


def test_without_keywords_it_is_for_the_home_pages_alone(announce: Announce) -> None:
    announce(keywords="")
    assert titles(AnonymousUser()) == ["顺丰停运通知"]
    assert titles(AnonymousUser(), words="顺丰停运通知") == []


def test_it_is_shown_on_the_page_of_its_entry(
    announce: Announce, make_entry: MakeEntry
) -> None:
    entry, other = make_entry("快递多久到？"), make_entry("怎么退款？")
    by_word = make_entry("顺丰能送到乡镇吗？")
    announce(entry=entry)
    for shown, expected in ((entry, True), (by_word, True), (other, False)):
        assert bool(titles(AnonymousUser(), entry=shown)) is expected


def test_its_entry_is_linked_for_whom_may_read_it(
    announce: Announce, make_entry: MakeEntry, agent: User
) -> None:
    internal = make_entry("内部？", audience="internal")
    announce(entry=internal)
    (for_agent,) = announcements.list_running_announcements(agent)
    (for_stranger,) = announcements.list_running_announcements(AnonymousUser())
    assert for_agent.entry == internal
    assert for_stranger.entry is None


# What a row must be -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"title": "\u200b"}, "标题"),
        ({"ends_at": timezone.now() - 2 * HOUR}, "结束时间必须晚于开始时间"),
        ({"keywords": "，。"}, "没有可以搜索的字"),
        ({"keywords": "长" * 33}, "最多 32 个字"),
        ({"keywords": "\n".join(f"词{n}" for n in range(31))}, "最多 30 个关键词"),
        ({"audience": "everybody"}, "everybody"),
        ({"body": "长" * 2001}, "2000"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(
    announce: Announce, wrong: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        announce(**wrong)
    assert not Announcement.objects.exists()


def test_the_database_refuses_an_end_before_the_start(announce: Announce) -> None:
    announcement = announce()
    with pytest.raises(IntegrityError), transaction.atomic():
        Announcement.objects.update(ends_at=announcement.starts_at)


def test_keywords_may_be_typed_in_any_way(announce: Announce) -> None:
    assert announce(keywords="顺丰、停运, “快递 不动”\r\n 顺丰").list_keywords() == [
        "顺丰",
        "停运",
        "快递 不动",
    ]


def test_its_body_is_safe_markdown(announce: Announce) -> None:
    html = announce(body="**停运** <script>alert(1)</script>").body_html
    assert "<strong>停运</strong>" in html
    assert "<script" not in html


# Where it is shown --------------------------------------------------------------------


def test_customers_meet_it_at_home_in_results_and_at_the_entry(
    client: Client, announce: Announce, make_entry: MakeEntry
) -> None:
    entry = make_entry("顺丰多久到？")
    other = make_entry("怎么开发票？")
    announce(entry=entry)
    for url, shown in (
        ("/", True),
        ("/search/?q=顺丰", True),
        ("/search/?q=发票", False),
        (entry.get_absolute_url(), True),
        (other.get_absolute_url(), False),
    ):
        page = client.get(url)
        assert ("顺丰停运通知" in page.text) is shown, url
        assert ("<strong>暂停</strong>揽收" in page.text) is shown, url
        assert page.cookies == {}


def test_a_copy_of_a_page_is_checked_anew_when_it_ends(
    client: Client, announce: Announce
) -> None:
    announcement = announce()
    tag = client.get("/").headers["ETag"]
    assert client.get("/", headers={"If-None-Match": tag}).status_code == 304
    Announcement.objects.filter(pk=announcement.pk).update(ends_at=timezone.now())
    page = client.get("/", headers={"If-None-Match": tag})
    assert page.status_code == 200
    assert "顺丰停运通知" not in page.text


def test_a_cached_page_changes_when_other_announcements_begin(
    client: Client, announce: Announce
) -> None:
    """Whatever their numbers: 1² + 8² is 4² + 7²."""
    turn = timezone.now() + 10 * timedelta(seconds=1)
    for number in (1, 8):
        announce(f"公告{number}", pk=number, ends_at=turn)
    for number in (4, 7):
        announce(f"公告{number}", pk=number, starts_at=turn, ends_at=turn + HOUR)
    before = client.get("/")
    assert "公告8" in before.text
    with time_machine.travel(turn + timedelta(seconds=1)):
        after = client.get("/", headers={"If-None-Match": before.headers["ETag"]})
        assert after.status_code == 200
        assert "公告8" not in after.text
        assert "公告7" in after.text


def test_ending_an_announcement_by_hand_changes_the_cached_page(
    client: Client, announce: Announce
) -> None:
    first, second = announce("公告甲"), announce("公告乙")
    assert "公告甲" in client.get("/").text
    assert announcements.end_announcement(first)
    page = client.get("/").text
    assert "公告甲" not in page
    assert second.title in page


def test_it_is_converted_to_the_script_of_the_page(
    client: Client, announce: Announce, make_entry: MakeEntry
) -> None:
    announce("顺丰停运", entry=make_entry("退款多久？"))
    page = client.get("/zh-hant/").text
    for said in ("順豐停運", "<strong>暫停</strong>攬收", "退款多久？"):
        assert said in page, said
    assert "順豐停運" in client.get("/zh-hant/search/?q=順豐").text


def test_agents_meet_it_above_what_they_found(
    client: Client, agent: User, announce: Announce, make_entry: MakeEntry
) -> None:
    make_entry("顺丰多久到？")
    announce("内部：顺丰改发中通", audience="staff")
    client.force_login(agent)
    for url, shown in (
        ("/console/", True),
        ("/console/?q=顺丰", True),
        ("/console/?q=顺丰&fragment=results", True),
        ("/console/?q=发票&fragment=results", False),
    ):
        assert ("顺丰改发中通" in client.get(url).text) is shown, url


# How editors keep them ------------------------------------------------------------------


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def typed(**more: Any) -> dict[str, Any]:
    columns_of_form = {
        "title": "顺丰停运",
        "body": "",
        "keywords": "顺丰",
        "audience": "public",
        "entry": "",
        "starts_at_0": "2026-01-01",
        "starts_at_1": "08:00",
        "ends_at_0": "2099-01-01",
        "ends_at_1": "09:30",
    }
    return {**columns_of_form, **more}


def test_an_editor_announces_and_ends_in_the_admin(desk: Client) -> None:
    form = desk.get("/admin/kb/announcement/add/")
    assert form.status_code == 200
    assert desk.post("/admin/kb/announcement/add/", typed()).status_code == 302
    announcement = Announcement.objects.get()
    assert announcement.created_by == form.wsgi_request.user
    assert "进行中" in desk.get("/admin/kb/announcement/").text
    assert "顺丰停运" in Client().get("/").text
    chosen = {"action": "end_now", "_selected_action": [announcement.pk]}
    assert desk.post("/admin/kb/announcement/", chosen).status_code == 302
    assert "顺丰停运" not in Client().get("/").text
    assert "已结束" in desk.get("/admin/kb/announcement/").text


def test_only_what_runs_is_ended(desk: Client, announce: Announce) -> None:
    now = timezone.now()
    later = announce("以后", starts_at=now + HOUR, ends_at=now + 2 * HOUR)
    over = announce("从前", starts_at=now - 3 * HOUR, ends_at=now - 2 * HOUR)
    chosen = {"action": "end_now", "_selected_action": [later.pk, over.pk]}
    page = desk.post("/admin/kb/announcement/", chosen, follow=True).text
    assert "「以后」没有在进行" in page
    assert "「从前」没有在进行" in page
    for announcement in (later, over):
        ends = announcement.ends_at
        announcement.refresh_from_db()
        assert announcement.ends_at == ends


@pytest.mark.parametrize(
    ("state", "expected"),
    [("running", {"现在"}), ("coming", {"以后"}), ("over", {"从前"}), ("x", None)],
)
def test_the_list_is_narrowed_by_state(
    desk: Client, announce: Announce, state: str, expected: set[str] | None
) -> None:
    now = timezone.now()
    announce("现在")
    announce("以后", starts_at=now + HOUR, ends_at=now + 2 * HOUR)
    announce("从前", starts_at=now - 2 * HOUR, ends_at=now - HOUR)
    page = desk.get("/admin/kb/announcement/", {"state": state})
    listed = {announcement.title for announcement in page.context["cl"].result_list}
    assert listed == (expected or {"现在", "以后", "从前"})


def test_a_wrong_time_is_refused_in_words(desk: Client) -> None:
    page = desk.post("/admin/kb/announcement/add/", typed(ends_at_0="2025-01-01"))
    assert "结束时间必须晚于开始时间" in page.text
    page = desk.post("/admin/kb/announcement/add/", typed(entry="9" * 30))
    assert page.status_code == 200
    assert not Announcement.objects.exists()


def test_agents_announce_nothing(client: Client, agent: User) -> None:
    client.force_login(agent)
    page = client.post("/admin/kb/announcement/add/", typed(), follow=True)
    assert page.status_code == 403
    assert not Announcement.objects.exists()


def test_a_deleted_entry_leaves_its_announcement(
    announce: Announce, make_entry: MakeEntry
) -> None:
    entry = make_entry(status="draft")
    announcement = announce(entry=entry)
    Entry.objects.filter(pk=entry.pk).delete()
    announcement.refresh_from_db()
    assert announcement.entry is None
