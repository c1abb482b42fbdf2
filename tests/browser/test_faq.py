"""Public pages with keyboard and touch, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from kb.models import Category, Entry, Vote
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDE = """先看表：

| 等级 | 一年消费满 | 生日礼 | 专属客服 | 免运费券 | 退换货运费 | 积分倍数 |
|---|---|---|---|---|---|---|
| 银叶会员 | 1000 元 | 满 99 减 10 | 没有 | 每月 1 张 | 自付 | 1.2 倍 |

```
https://example.com/a/very/long/address/that/cannot/be/broken/anywhere/at/all
```
"""
IN_VIEW = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def refund(make_entry: MakeEntry) -> Entry:
    top = Category.objects.create(name="退换货")
    make_entry("退款为什么被驳回？", category=top)
    return make_entry("退款多久到账？", answer=WIDE, category=top)


@pytest.fixture
def asked(page: Page) -> list[str]:
    """The addresses of the suggestions that the page has asked for."""
    found: list[str] = []
    page.on("request", lambda r: found.append(r.url) if "/suggest/" in r.url else None)
    return found


@pytest.fixture
def scriptless(browser: Any, live_site: str) -> Iterator[Page]:
    context = browser.new_context(base_url=live_site, java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_a_customer_types_picks_and_reads(page: Page, refund: Entry) -> None:
    page.goto("/")
    box = page.get_by_role("combobox", name="搜索问题")
    expect(box).to_be_focused()
    page.keyboard.type("退款")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(options.first.locator("mark")).to_have_text("退款")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", "suggestion-1")
    page.keyboard.press("ArrowUp")
    expect(page.locator("[aria-selected=true]")).to_have_count(0)
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    title = options.last.locator("span").inner_text().strip()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_enter_without_a_choice_searches(page: Page, refund: Entry) -> None:
    page.goto("/")
    page.keyboard.type("退款")
    expect(page.get_by_role("option")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.get_by_text("找到 2 条")).to_be_visible()
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_escape_closes_the_list_and_keeps_the_words(page: Page, refund: Entry) -> None:
    page.goto("/")
    page.keyboard.type("退款")
    box, options = page.get_by_role("combobox"), page.get_by_role("listbox")
    expect(options).to_be_visible()
    page.keyboard.press("Escape")
    expect(options).to_be_hidden()
    expect(box).to_have_value("退款")
    page.keyboard.press("ArrowDown")
    expect(options).to_be_visible()
    page.get_by_role("heading", level=1).click()
    expect(options).to_be_hidden()


def test_a_click_on_a_suggestion_opens_it(page: Page, refund: Entry) -> None:
    page.goto("/")
    page.keyboard.type("多久到账")
    page.get_by_role("option", name="退款多久到账？").hover()
    page.mouse.down()
    expect(page.get_by_role("combobox")).to_be_focused()
    page.mouse.up()
    expect(page).to_have_url(re.compile(f"/q/{refund.pk}/"))


def test_an_answer_that_comes_late_is_dropped(page: Page, refund: Entry) -> None:
    late: list[Route] = []
    page.route(
        lambda url: url.endswith("q=%E9%80%80"), lambda route: late.insert(0, route)
    )
    page.goto("/")
    with page.expect_request("**/suggest/**"):
        page.keyboard.type("退")
    page.keyboard.type("款多久")
    expect(page.get_by_role("option").first).to_have_text("退款多久到账？")
    late[0].fulfill(body='<a role="option" id="suggestion-1">迟到的</a>')
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").first).to_have_text("退款多久到账？")
    expect(page.get_by_text("迟到的")).to_have_count(0)


def test_composing_belongs_to_the_input_method(
    page: Page, refund: Entry, asked: list[str]
) -> None:
    page.clock.install()
    page.goto("/")
    typing = page.context.new_cdp_session(page)
    typing.send(
        "Input.imeSetComposition",
        {"text": "tui kuan", "selectionStart": 8, "selectionEnd": 8},
    )
    page.clock.run_for(1000)
    for key in ("Enter", "ArrowDown", "Escape"):
        for mark in ("isComposing: true", "keyCode: 229"):
            kept = page.evaluate(
                f"document.querySelector('#q').dispatchEvent(new KeyboardEvent('keydown',"
                f" {{key: '{key}', {mark}, bubbles: true, cancelable: true}}))"
            )
            assert kept, "the key was taken from the input method"
    page.clock.run_for(1000)
    assert asked == []
    expect(page).to_have_url("/")
    typing.send("Input.insertText", {"text": "退款"})
    page.clock.run_for(1000)
    expect(page.get_by_role("option")).to_have_count(2)
    assert len(asked) == 1


def test_keys_belong_to_the_input_method_while_the_list_is_open(
    page: Page, refund: Entry
) -> None:
    page.goto("/")
    page.keyboard.type("退款")
    expect(page.get_by_role("option")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    for key in ("Enter", "ArrowDown", "Escape"):
        page.evaluate(
            "key => document.querySelector('#q').dispatchEvent(new KeyboardEvent("
            "'keydown', {key, keyCode: 229, bubbles: true, cancelable: true}))",
            key,
        )
    expect(page).to_have_url("/")
    expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")


def test_a_link_to_hand_on_is_short(page: Page, refund: Entry, live_site: str) -> None:
    page.goto(refund.get_absolute_url())
    page.get_by_role("button", name="复制链接").click()
    expect(page.get_by_role("button", name="已复制")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{live_site}/q/{refund.pk}/"


def test_everything_works_without_scripts(scriptless: Page, refund: Entry) -> None:
    scriptless.goto("/")
    scriptless.get_by_label("搜索问题").fill("退款")
    scriptless.get_by_role("button", name="搜索").click()
    scriptless.get_by_role("link", name="退款多久到账？").click()
    expect(scriptless.get_by_role("heading", level=1)).to_have_text("退款多久到账？")
    expect(scriptless.get_by_text("复制链接")).to_be_hidden()
    scriptless.get_by_label("搜索问题").fill("驳回")
    scriptless.get_by_label("搜索问题").press("Enter")
    expect(scriptless.get_by_text("找到 1 条")).to_be_visible()


def test_a_reader_votes_without_scripts_and_cookies(
    scriptless: Page, refund: Entry
) -> None:
    scriptless.goto("/search/?q=退款多久")
    scriptless.get_by_role("link", name="退款多久到账？").click()
    scriptless.get_by_role("button", name="有帮助").click()
    expect(scriptless.get_by_role("heading", name="谢谢反馈")).to_be_visible()
    assert Vote.objects.get().words == "退款多久"
    assert scriptless.context.cookies() == []
    scriptless.get_by_role("link", name="回到“退款多久到账？”").click()
    expect(scriptless.get_by_role("heading", level=1)).to_have_text("退款多久到账？")


def test_a_phone_never_scrolls_sideways(phone: Page, refund: Entry) -> None:
    pages = ["/", "/search/", "/search/?q=退款", "/search/?q=" + "W" * 200, "/nowhere/"]
    pages += [f"/c/{refund.category_id}/", refund.get_absolute_url()]
    for address in pages:
        phone.goto(address)
        assert phone.evaluate(IN_VIEW), address
    inner = phone.locator(".prose .table, .prose pre")
    assert inner.evaluate_all("all => all.map(e => e.scrollWidth > e.clientWidth)") == [
        True,
        True,
    ]


def test_a_thumb_hits_every_target(phone: Page, refund: Entry) -> None:
    small = """() => [...document.querySelectorAll('a, button, input')]
        .filter(e => e.checkVisibility() && !e.closest('.visually-hidden, .skip, p'))
        .filter(e => !e.classList.contains('visually-hidden'))
        .filter(e => e.getBoundingClientRect().height < 24)
        .map(e => e.outerHTML)"""
    for address in ("/", "/search/?q=退款", refund.get_absolute_url()):
        phone.goto(address)
        assert phone.evaluate(small) == [], address


def test_the_keyboard_reaches_the_text_first(page: Page, refund: Entry) -> None:
    page.goto(refund.get_absolute_url())
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="跳到正文")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_paper_shows_the_answer_alone(page: Page, refund: Entry) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(refund.get_absolute_url())
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for gone in (".site-header", ".site-footer", "#related", "[data-copy]"):
        expect(page.locator(gone)).to_be_hidden()
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert ink == "rgb(28, 31, 36)"
