"""An editor's work: search gaps, relevance tests, an import and its undo."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kb.models import Entry, RelevanceTest, Search, SearchGap, User
from kb.quality import relevance_tests, search_gaps
from tests.browser.driving import box, opened, violations
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]


@pytest.fixture
def freight(make_entry: MakeEntry) -> Entry:
    return make_entry("退货运费谁承担？")


@pytest.fixture
def missed(freight: Entry) -> SearchGap:
    for words in ("回邮的钱", "回邮的钱", "请问一下回邮的钱"):
        Search.objects.create(words=words, side="public", results=0, person="p")
    Search.objects.create(words="火星移民", side="public", results=0)
    search_gaps.collect_gaps()
    return SearchGap.objects.get(words="回邮的钱")


@pytest.fixture
def desk(page: Page, live_site: str, editor: User, login: Login) -> Page:
    login(page, editor, live_site)
    return page


def test_a_gap_is_closed_by_one_digit_and_proved(desk: Page, missed: SearchGap) -> None:
    desk.goto("/desk/gaps/")
    expect(desk.locator("h1")).to_have_text("回邮的钱")
    desk.keyboard.press("/")
    desk.keyboard.insert_text("退货运费")
    desk.keyboard.press("Enter")
    expect(desk.locator(".candidate h3").first).to_contain_text("退货运费谁承担？")
    desk.keyboard.press("1")
    expect(desk.locator(".message")).to_contain_text("验证通过：排第 1 名")
    expect(desk.locator("h1")).to_have_text("火星移民")
    missed.refresh_from_db()
    assert missed.status == "closed"


def test_what_is_not_ours_goes_and_comes_back_by_keys(
    desk: Page, missed: SearchGap
) -> None:
    desk.goto("/desk/gaps/")
    expect(desk.locator("#keys")).to_be_visible()
    desk.keyboard.press("x")
    desk.keyboard.press("1")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("h1")).to_have_text("火星移民")
    desk.keyboard.press("u")
    expect(desk.locator("h1")).to_have_text("回邮的钱")


def test_golden_queries_are_tried_by_a_key(desk: Page, freight: Entry) -> None:
    RelevanceTest.objects.create(words="退货运费", entry=freight)
    RelevanceTest.objects.create(words="发票抬头", entry=freight)
    desk.goto("/desk/golden/")
    expect(desk.locator("#keys")).to_be_visible()
    desk.keyboard.press("r")
    expect(desk.locator(".message")).to_contain_text("1 条不达标")
    row = desk.get_by_role("row", name="发票抬头")
    expect(row).to_contain_text("没找到")


def test_an_import_is_looked_at_carried_out_and_taken_back(
    desk: Page, freight: Entry, tmp_path: Path
) -> None:
    file = tmp_path / "faq.csv"
    file.write_text("题目,答案\n怎么换货？,点换货。\n", "utf-8")
    desk.goto("/admin/import/")
    desk.get_by_label("文件").set_input_files(file)
    desk.get_by_role("button", name="看看会怎样").click()
    desk.get_by_label("题目").select_option("标准问题")
    desk.get_by_role("button", name="看看会怎样").click()
    expect(desk.locator("#content")).to_contain_text("新建 1 行")
    desk.get_by_role("button", name="确认导入 1 行").click()
    assert Entry.objects.filter(question="怎么换货？").exists()
    desk.get_by_role("button", name="撤销：faq.csv").click()
    expect(desk.locator("#content")).to_contain_text("已撤销 1 行")
    assert not Entry.objects.filter(question="怎么换货？").exists()


def test_an_abandoned_search_is_reported_once(
    page: Page, live_site: str, agent: User, login: Login, freight: Entry
) -> None:
    login(page, agent, live_site)
    page.clock.install()
    opened(page)
    for words in ("能不能", "能不能刻字"):
        with page.expect_response(re.compile("fragment=results")):
            box(page).fill(words)
            page.clock.run_for(1000)
    page.clock.run_for(3000)
    with page.expect_response(re.compile("/console/miss/")):
        box(page).fill("退货运费")
    assert [s.words for s in Search.objects.all()] == ["能不能刻字"]


ADDRESSES = (
    "/desk/gaps/",
    "/desk/golden/",
    "/admin/",
    "/admin/import/",
    "/admin/export/",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_for_everybody(
    desk: Page, missed: SearchGap, freight: Entry, scheme: str
) -> None:
    RelevanceTest.objects.create(words="发票抬头", entry=freight)
    relevance_tests.run_relevance_tests(by=None)
    desk.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for address in ADDRESSES:
        desk.goto(address)
        assert violations(desk) == [], address


def test_the_pages_fit_a_phone(
    phone: Page,
    live_site: str,
    editor: User,
    login: Login,
    missed: SearchGap,
    freight: Entry,
) -> None:
    RelevanceTest.objects.create(words="发票抬头", entry=freight)
    relevance_tests.run_relevance_tests(by=None)
    login(phone, editor, live_site)
    for address in ADDRESSES:
        phone.goto(address)
        width = phone.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, address
