"""The search box of the entries' list: the engine first, then the columns."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kb.index import sync
from kb.index.engines import EngineUnavailableError, get_engine
from kb.models import Entry
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
LIST = "/admin/kb/entry/"


def search_list(client: Client, words: str, **more: str) -> list[str]:
    page = client.get(LIST, {"q": words, **more})
    return [entry.question for entry in page.context["cl"].result_list]


def test_results_of_the_engine_come_first(desk: Client, make_entry: MakeEntry) -> None:
    make_entry("发票抬头怎么改？", answer="退货运费在别处说。")
    make_entry("退货运费谁承担？", answer="我们。")
    make_entry("退货的邮费", status="draft", answer="草稿也找得到。")
    assert search_list(desk, "退货邮费谁出呀")[0] in {"退货运费谁承担？", "退货的邮费"}
    assert search_list(desk, "tuihuo")[0] != "发票抬头怎么改？"
    assert "退货的邮费" in search_list(desk, "退貨的郵費")


def test_retired_entries_are_found_by_substring(
    desk: Client, make_entry: MakeEntry
) -> None:
    make_entry("已经下线的退货", status="retired")
    assert search_list(desk, "下线的退货") == ["已经下线的退货"]


def test_number_sign_finds_the_entry_by_id(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry("退货运费谁承担？")
    make_entry("发票抬头怎么改？")
    assert search_list(desk, f"#{entry.pk}")[0] == "退货运费谁承担？"
    assert desk.get(LIST, {"q": "#" + "9" * 40}).status_code == 200


def test_clicked_column_sorts_the_results(desk: Client, make_entry: MakeEntry) -> None:
    for name in ("退货乙", "退货甲", "退货丙"):
        make_entry(name)
    assert search_list(desk, "退货", o="1") == sorted(search_list(desk, "退货"))


def test_search_by_substring_without_the_engine(
    desk: Client, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_entry("退货运费谁承担？")

    def down(*args: Any) -> None:
        raise EngineUnavailableError("gone")

    monkeypatch.setattr(type(get_engine()), "search", down)
    assert search_list(desk, "退货运费") == ["退货运费谁承担？"]


def test_autocomplete_of_entries_uses_the_engine(
    desk: Client, make_entry: MakeEntry
) -> None:
    make_entry("发票抬头怎么改？")
    make_entry("退货运费谁承担？")
    query = {
        "app_label": "kb",
        "model_name": "relevancetest",
        "field_name": "entry",
        "term": "退货邮费谁出",
    }
    results = desk.get("/admin/autocomplete/", query).json()["results"]
    assert results[0]["text"] == "退货运费谁承担？"


def test_search_makes_a_fixed_number_of_queries(
    desk: Client, make_entry: MakeEntry
) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(LIST, {"q": "退货"}).status_code == 200
        return len(captured)

    make_entry("退货 1")
    count_queries()
    few = count_queries()
    for number in range(2, 30):
        make_entry(f"退货 {number}")
    sync.sync_all_marks()
    assert Entry.objects.count() == 29
    assert count_queries() == few
