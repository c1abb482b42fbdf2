"""The dashboard of the admin: a card with a number for each kind of work."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kb.library import entries
from kb.models import Question, RelevanceTest, SearchGap, User
from kb.quality import relevance_tests
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db
LIST = "/admin/kb/entry/"


def cards(client: Client) -> dict[str, int]:
    return {card.label: card.count for card in client.get("/admin/").context["cards"]}


def test_cards_count_the_work_of_the_reader(
    desk: Client, editor: User, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    entry = make_entry()
    make_question("我要退货")
    Question.objects.create(text="谁来答", answer="")
    SearchGap.objects.create(words="刻字", side="public", empty=3)
    RelevanceTest.objects.create(words="火星", entry=entry)
    relevance_tests.run_relevance_tests(by=None)
    entries.create_draft("我写的", by=editor, answer="好")
    counted = cards(desk)
    assert {name: counted[name] for name in ("待补答案", "收件箱", "搜索缺口")} == {
        "待补答案": 1,
        "收件箱": 1,
        "搜索缺口": 1,
    }
    assert (counted["搜索验收不达标"], counted["我的草稿"]) == (1, 1)
    page = desk.get("/admin/").content.decode()
    assert page.index("待补答案") < page.index("没帮助")  # kinds that wait come first
    assert f"{LIST}?mine=drafts" in page


def test_every_card_links_to_a_permitted_page(desk: Client) -> None:
    for card in desk.get("/admin/").context["cards"]:
        assert desk.get(card.url).status_code == 200, card


def test_drafts_card_counts_own_drafts(
    desk: Client, editor: User, make_entry: MakeEntry
) -> None:
    make_entry("别人的", status="draft")
    entries.create_draft("我写的", by=editor, answer="好")
    entries.publish_entry(
        entries.create_draft("发布了", by=editor, answer="好"), by=None
    )
    page = desk.get(LIST, {"mine": "drafts"})
    assert [e.question for e in page.context["cl"].result_list] == ["我写的"]
    page = desk.get(LIST, {"mine": "all"})
    assert {e.question for e in page.context["cl"].result_list} == {"我写的", "发布了"}


def test_dashboard_makes_a_fixed_number_of_queries(
    desk: Client, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            desk.get("/admin/")
        return len(captured)

    make_entry()
    count_queries()
    few = count_queries()
    for number in range(20):
        make_question(f"问题{number}")
        SearchGap.objects.create(words=f"缺口{number}", side="public", empty=1)
    assert count_queries() == few <= 12
