"""The admin's first page says what waits; its list of entries is searched by meaning."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kb.index import sync
from kb.index.engines import EngineUnavailableError, get_engine
from kb.library import entries
from kb.models import Entry, Question, RelevanceTest, SearchGap, User
from kb.quality import relevance_tests
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db
LIST = "/admin/kb/entry/"


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def cards(client: Client) -> dict[str, int]:
    return {card.label: card.count for card in client.get("/admin/").context["cards"]}


def found(client: Client, words: str, **more: str) -> list[str]:
    page = client.get(LIST, {"q": words, **more})
    return [entry.question for entry in page.context["cl"].result_list]


# What waits ----------------------------------------------------------------------------


def test_the_first_page_counts_what_waits_for_the_reader(
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
    assert page.index("待补答案") < page.index("没帮助")  # what waits stands first
    assert f"{LIST}?mine=drafts" in page


def test_every_card_leads_to_a_page_of_the_readers(desk: Client) -> None:
    for card in desk.get("/admin/").context["cards"]:
        assert desk.get(card.url).status_code == 200, card


def test_my_drafts_are_those_of_the_card(
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


def test_the_first_page_asks_a_fixed_number_of_times(
    desk: Client, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            desk.get("/admin/")
        return len(captured)

    make_entry()
    asked()
    few = asked()
    for number in range(20):
        make_question(f"问题{number}")
        SearchGap.objects.create(words=f"缺口{number}", side="public", empty=1)
    assert asked() == few <= 12


# What is searched for -------------------------------------------------------------------


def test_the_list_is_searched_by_meaning_best_first(
    desk: Client, make_entry: MakeEntry
) -> None:
    make_entry("发票抬头怎么改？", answer="退货运费在别处说。")
    make_entry("退货运费谁承担？", answer="我们。")
    make_entry("退货的邮费", status="draft", answer="草稿也找得到。")
    assert found(desk, "退货邮费谁出呀")[0] in {"退货运费谁承担？", "退货的邮费"}
    assert found(desk, "tuihuo")[0] != "发票抬头怎么改？"
    assert "退货的邮费" in found(desk, "退貨的郵費")


def test_what_is_retired_is_found_by_its_letters(
    desk: Client, make_entry: MakeEntry
) -> None:
    make_entry("已经下线的退货", status="retired")
    assert found(desk, "下线的退货") == ["已经下线的退货"]


def test_a_number_is_its_entry(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry("退货运费谁承担？")
    make_entry("发票抬头怎么改？")
    assert found(desk, f"#{entry.pk}")[0] == "退货运费谁承担？"
    assert desk.get(LIST, {"q": "#" + "9" * 40}).status_code == 200


def test_a_column_that_is_clicked_orders_what_is_found(
    desk: Client, make_entry: MakeEntry
) -> None:
    for name in ("退货乙", "退货甲", "退货丙"):
        make_entry(name)
    assert found(desk, "退货", o="1") == sorted(found(desk, "退货"))


def test_without_the_engine_letters_will_do(
    desk: Client, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_entry("退货运费谁承担？")

    def down(*args: Any) -> None:
        raise EngineUnavailableError("gone")

    monkeypatch.setattr(type(get_engine()), "search", down)
    assert found(desk, "退货运费") == ["退货运费谁承担？"]


def test_entries_are_looked_up_by_meaning_in_forms(
    desk: Client, make_entry: MakeEntry
) -> None:
    make_entry("发票抬头怎么改？")
    make_entry("退货运费谁承担？")
    asked = {
        "app_label": "kb",
        "model_name": "golden",
        "field_name": "entry",
        "term": "退货邮费谁出",
    }
    told = desk.get("/admin/autocomplete/", asked).json()["results"]
    assert told[0]["text"] == "退货运费谁承担？"


def test_a_search_of_many_costs_no_more_queries(
    desk: Client, make_entry: MakeEntry
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(LIST, {"q": "退货"}).status_code == 200
        return len(captured)

    make_entry("退货 1")
    asked()
    few = asked()
    for number in range(2, 30):
        make_entry(f"退货 {number}")
    sync.sync_all_marks()
    assert Entry.objects.count() == 29
    assert asked() == few
