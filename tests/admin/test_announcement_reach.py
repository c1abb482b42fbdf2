"""Keywords split at whatever people type between them, and show whom they reach."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb.models import Announcement, Search, User
from kb.publishing import announcements
from kb.text.chinese.keywords import join_keywords, split_keywords

pytestmark = pytest.mark.django_db
REACH = "admin:kb_announcement_reach"


@pytest.mark.parametrize(
    "typed",
    [
        "发货 物流",
        "发货\u3000物流",
        "发货,物流",
        "发货，物流",
        "发货、物流",
        "发货;物流",
        "发货；物流",
        "发货|物流",
        "发货｜物流",
        "发货\n物流",
        "发货\r\n物流\r\n",
        " 发货 ， 、物流 物流 ",
        "发货\t物流",
    ],
)
def test_keywords_split_at_whatever_stands_between(typed: str) -> None:
    assert split_keywords(typed) == ["发货", "物流"]


@pytest.mark.parametrize(
    "typed", ['"Apple Pay" 物流', "“Apple Pay”，物流", "「Apple Pay」物流"]
)
def test_words_in_quotation_marks_stay_together(typed: str) -> None:
    words = split_keywords(typed)
    assert words == ["Apple Pay", "物流"]
    assert join_keywords(words) == '"Apple Pay"\n物流'
    assert split_keywords(join_keywords(words)) == words


def announce(keywords: str, **columns: Any) -> Announcement:
    announcement = Announcement(
        title="华东仓停电，今天不发货",
        keywords=keywords,
        starts_at=timezone.now() - timedelta(hours=1),
        ends_at=timezone.now() + timedelta(hours=1),
        **columns,
    )
    announcement.full_clean()
    announcement.save()
    return announcement


@pytest.mark.parametrize("words", ["发货", "物流", "什么时候发货", "今天发货吗"])
def test_each_keyword_shows_the_notice(words: str, agent: User) -> None:
    announcement = announce("发货 物流")
    assert announcement.keywords == "发货\n物流"
    assert [
        row.announcement
        for row in announcements.list_running_announcements(agent, words=words)
    ] == [announcement]


def search(words: str, times: int = 1, *, side: str = "staff", days: int = 1) -> None:
    when = timezone.now() - timedelta(days=days)
    for _ in range(times):
        Search.objects.create(words=words, side=side, results=1, created_at=when)


def test_the_reach_counts_last_weeks_searches() -> None:
    search("什么时候发货", 3)
    search("物流三天没动", 2, side="public")
    search("发票怎么开", 4)
    search("发货慢", 5, days=8)
    reach = announcements.estimate_reach(["发货", "物流"], audience="public")
    assert (reach.matched_searches, reach.total_searches) == (5, 9)
    assert reach.phrases == [("什么时候发货", 3), ("物流三天没动", 2)]
    reach = announcements.estimate_reach(["发货", "物流"], audience="staff")
    assert (reach.matched_searches, reach.total_searches) == (3, 7)


def test_the_panel_shows_no_personal_data(client: Client, editor: User) -> None:
    search("13812345678 的物流")
    client.force_login(editor)
    panel = client.post(reverse(REACH), {"keywords": "物流", "audience": "staff"}).text
    assert "的物流" in panel
    assert "13812345678" not in panel


def test_the_panel_answers_what_is_typed(client: Client, editor: User) -> None:
    search("什么时候发货", 3)
    client.force_login(editor)
    page = client.get(reverse("admin:kb_announcement_add")).text
    assert 'id="announcement-reach"' in page
    assert "没有关键词：公告只在首页" in page
    sent = {"keywords": "发货 物流", "audience": "staff"}
    panel = client.post(reverse(REACH), sent).text
    assert "有 <strong>3</strong> 次会显示这条公告" in panel
    assert "什么时候发货" in panel
    panel = client.post(reverse(REACH), {**sent, "keywords": "电饭煲"}).text
    assert "没有一次会显示这条公告" in panel


def test_a_stranger_to_notices_gets_no_searches(client: Client, agent: User) -> None:
    client.force_login(agent)
    assert client.post(reverse(REACH), {"keywords": "发货"}).status_code in (302, 403)


def test_saving_warns_of_keywords_that_nobody_searches_for(
    client: Client, editor: User
) -> None:
    search("什么时候发货")
    client.force_login(editor)
    now = timezone.localtime()
    sent = {
        "title": "停电",
        "audience": "staff",
        "starts_at_0": now.strftime("%Y-%m-%d"),
        "starts_at_1": now.strftime("%H:%M:%S"),
        "ends_at_0": (now + timedelta(days=1)).strftime("%Y-%m-%d"),
        "ends_at_1": now.strftime("%H:%M:%S"),
    }
    add = reverse("admin:kb_announcement_add")
    page = client.post(add, {**sent, "keywords": "电饭煲"}, follow=True).text
    assert "没有一次会显示「停电」，请检查关键词：电饭煲。" in page
    page = client.post(add, {**sent, "keywords": "发货 电饭煲"}, follow=True).text
    assert "没有一次会显示" not in page
