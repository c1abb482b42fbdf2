"""Values belong to one customer, and every destructive step can be undone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.templatetags.static import static
from playwright.sync_api import Browser, Page, expect

from kb.accounts import preferences
from kb.models import Entry, Favorite, User
from tests.browser.driving import (
    box,
    clipboard,
    empty_clipboard,
    find,
    opened,
    said,
    violations,
)
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]
FILLED = "订单A20251130001改成：张三，A路1号，客户王女士。"


@pytest.fixture
def library(make_entry: MakeEntry) -> dict[str, Entry]:
    return {
        "address": make_entry(
            "怎么修改收货地址？",
            replies=["订单{{订单号}}改成：{{收件人}}，{{新地址}}，客户{{客户称呼}}。"],
        ),
        "invoice": make_entry(
            "电子发票怎么开？", replies=["{{客户称呼=亲}}，{{订单号}}的发票已开。"]
        ),
        "plain": make_entry("怎么换货？", replies=["点换货。"]),
    }


@pytest.fixture
def console(
    page: Page, live_site: str, agent: User, login: Login, library: dict[str, Entry]
) -> Page:
    login(page, agent, live_site)
    return opened(page)


def paste(page: Page, text: str) -> None:
    """Paste `text` over the text of the box, with the real keys."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    box(page).focus()
    page.keyboard.press("ControlOrMeta+a")
    with page.expect_response(re.compile("fragment=results")):
        page.keyboard.press("ControlOrMeta+v")
    expect(page.locator("#panes")).not_to_have_attribute("aria-busy", "true")


def field(page: Page, name: str) -> Any:
    return page.locator(f"#preview [data-fill='{name}']").first


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        field(page, name).fill(value)


def serve_first_customer(page: Page, text: str = "地址写错了 能改收货地址不") -> None:
    """Fill in all that the reply wants of customer A, and copy it."""
    paste(page, text)
    expect(page.get_by_role("heading", name="怎么修改收货地址？")).to_be_visible()
    fill(page, 订单号="A20251130001", 收件人="张三", 新地址="A路1号", 客户称呼="王女士")
    box(page).focus()
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("已复制")
    assert clipboard(page) == FILLED
    empty_clipboard(page)


def values(page: Page) -> dict[str, str]:
    names = ("订单号", "收件人", "新地址", "客户称呼")
    return {name: field(page, name).input_value() for name in names}


# Another customer ----------------------------------------------------------------


def test_a_new_message_that_shares_no_value_is_a_new_customer(console: Page) -> None:
    serve_first_customer(console)
    paste(console, "亲 我的收货地址也要改一下 改成公司")
    expect(said(console)).to_contain_text("已换成新客户")
    expect(console.locator("#customer")).to_be_hidden()
    assert set(values(console).values()) == {""}
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("还没填：订单号、收件人、新地址、客户称呼")
    empty_clipboard(console)
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("还空着")
    assert "A20251130001" not in clipboard(console)
    assert "张三" not in clipboard(console)


def test_the_same_words_pasted_again_are_a_new_message(console: Page) -> None:
    serve_first_customer(console)
    text = "地址写错了 能改收货地址不"
    console.evaluate("text => navigator.clipboard.writeText(text)", text)
    console.keyboard.press("ControlOrMeta+a")
    console.keyboard.press("ControlOrMeta+v")
    expect(said(console)).to_contain_text("已换成新客户")
    expect(console.locator("#customer")).to_be_hidden()


def test_enter_right_after_the_paste_copies_nothing_of_the_other_customer(
    console: Page,
) -> None:
    serve_first_customer(console)
    text = "收货地址能改吗 另外一个人问的"
    console.evaluate("text => navigator.clipboard.writeText(text)", text)
    console.keyboard.press("ControlOrMeta+a")
    console.keyboard.press("ControlOrMeta+v")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("还没填：订单号")
    assert clipboard(console) == text


def test_undo_brings_the_values_back_and_asks_once(console: Page) -> None:
    serve_first_customer(console)
    paste(console, "收货地址能改吗")
    expect(said(console)).to_contain_text("已换成新客户")
    console.keyboard.press("Alt+z")
    expect(said(console)).to_have_text("已撤销换客户")
    assert values(console)["订单号"] == "A20251130001"
    assert values(console)["新地址"] == "A路1号"
    expect(box(console)).to_have_value("收货地址能改吗")
    empty_clipboard(console)
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("沿用：订单号 A20251130001、收件人 张三")
    assert clipboard(console) == "nothing"
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制")
    assert clipboard(console) == FILLED
    empty_clipboard(console)
    console.keyboard.press("Enter")  # once confirmed, it is not asked again
    expect(said(console)).to_contain_text("已复制")
    assert clipboard(console) == FILLED


def test_the_customer_before_comes_back_by_key_and_by_button(console: Page) -> None:
    serve_first_customer(console)
    paste(console, "收货地址能改吗")
    fill(console, 订单号="B777777")
    console.get_by_role("button", name="上一位客户").click()
    assert values(console)["订单号"] == "A20251130001"
    console.keyboard.press("Alt+q")
    assert values(console)["订单号"] == "B777777"
    assert values(console)["收件人"] == ""
    console.keyboard.press("Alt+q")
    assert values(console)["收件人"] == "张三"


def test_a_message_with_a_known_number_is_of_the_same_customer(console: Page) -> None:
    serve_first_customer(console)
    paste(console, "订单 a2025 1130 001 的收货地址还能再改吗")
    kept = {"订单号": "A20251130001", "客户称呼": "王女士"}
    assert values(console) == {"收件人": "", "新地址": "", **kept}
    expect(console.locator("#customer-note")).to_contain_text(
        "没有沿用：收件人、新地址"
    )
    chip = console.locator("#customer-values .chip")
    expect(chip.nth(0)).to_have_accessible_name("订单号 A20251130001")
    expect(chip.nth(1)).to_have_accessible_name("沿用 客户称呼 王女士")
    mark = field(console, "客户称呼").locator("xpath=..").locator(".carried-mark")
    expect(mark).to_have_text("沿用")
    expect(console.locator(".blank.carried").first).to_have_text("王女士")
    fill(console, 收件人="李四", 新地址="B路2号")
    box(console).focus()
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("沿用：客户称呼 王女士。是同一位客户")
    assert clipboard(console).startswith("订单 a2025")
    console.keyboard.press("Enter")
    assert clipboard(console) == "订单A20251130001改成：李四，B路2号，客户王女士。"


def test_typed_words_carry_values_but_never_an_address(console: Page) -> None:
    serve_first_customer(console)
    console.keyboard.type("怎么改收货地址")  # over what is selected
    expect(console.locator("#customer-note")).to_contain_text("收件人、新地址")
    assert values(console)["新地址"] == ""
    console.keyboard.press("Alt+z")
    assert values(console)["新地址"] == "A路1号"
    box(console).fill("发票")
    expect(console.get_by_role("heading", name="电子发票怎么开？")).to_be_visible()
    box(console).focus()
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("沿用：客户称呼 王女士、订单号 A20251130001")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制")


def test_typing_on_and_mending_the_words_carries_nothing(console: Page) -> None:
    box(console).press_sequentially("发瞟")
    fill(console, 订单号="A20251130001") if field(console, "订单号").count() else None
    box(console).press("Backspace")
    box(console).press_sequentially("票")
    expect(console.get_by_role("heading", name="电子发票怎么开？")).to_be_visible()
    fill(console, 订单号="A20251130001")
    box(console).focus()
    console.keyboard.press("End")
    console.keyboard.type("怎么开")
    expect(box(console)).to_have_value("发票怎么开")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制")
    assert clipboard(console) == "亲，A20251130001的发票已开。"


def test_words_from_an_input_method_are_another_message(console: Page) -> None:
    serve_first_customer(console)
    session = console.context.new_cdp_session(console)
    composed = {"text": "di", "selectionStart": 2, "selectionEnd": 2}
    session.send("Input.imeSetComposition", composed)
    session.send("Input.insertText", {"text": "地址"})
    expect(box(console)).to_have_value("地址")
    expect(console.locator("#customer-note")).to_contain_text("收件人、新地址")
    assert values(console)["新地址"] == ""


def test_letters_shared_with_the_words_before_make_no_same_message(
    console: Page,
) -> None:
    serve_first_customer(console)
    console.keyboard.type("地址写错了，帮另一个人改")
    assert values(console)["新地址"] == ""
    expect(console.locator("#customer-values .chip.carried").first).to_be_visible()


def test_escape_says_that_it_is_not_the_same_customer(console: Page) -> None:
    serve_first_customer(console)
    find(console, "发票", "电子发票怎么开？")
    box(console).focus()
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("不是，按 Esc")
    console.keyboard.press("Escape")
    expect(box(console)).to_have_value("发票")
    expect(field(console, "订单号")).to_have_value("")
    expect(console.locator("#customer")).to_be_hidden()


def test_ten_idle_minutes_bring_a_new_customer(console: Page) -> None:
    console.clock.install()
    opened(console)
    serve_first_customer(console)
    console.clock.fast_forward("09:30")
    expect(console.locator("#customer")).to_be_visible()
    console.clock.fast_forward("01:00")
    expect(said(console)).to_contain_text("十分钟没有操作，已换成新客户")
    assert set(values(console).values()) == {""}
    console.keyboard.press("Alt+q")
    assert values(console)["订单号"] == "A20251130001"


def test_after_a_long_sleep_the_first_key_is_for_a_new_customer(console: Page) -> None:
    serve_first_customer(console)
    console.evaluate("const now = Date.now; Date.now = () => now() + 700_000")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("还没填：订单号")
    assert clipboard(console) == "nothing"


def test_a_page_left_long_ago_opens_without_values(console: Page) -> None:
    serve_first_customer(console)
    console.add_init_script("const now = Date.now; Date.now = () => now() + 700_000")
    console.reload()
    expect(console.get_by_role("button", name="上一位客户")).to_be_visible()
    expect(console.locator("#customer")).to_be_hidden()


def test_a_reload_keeps_the_values_and_asks_once(console: Page) -> None:
    serve_first_customer(console)
    expect(console).to_have_url(re.compile("q="))
    console.reload()
    expect(console.locator("html.scripted")).to_be_attached()
    assert values(console)["新地址"] == "A路1号"
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("沿用：订单号 A20251130001")
    assert clipboard(console) == "nothing"


def test_a_window_opened_again_with_other_words_has_a_new_customer(
    console: Page,
) -> None:
    """The bookmark opens the same window, with what is selected elsewhere."""
    serve_first_customer(console)
    console.goto("about:blank")
    opened(console, "/console/?q=收货地址")
    expect(field(console, "订单号")).to_have_value("")
    expect(console.locator("#customer")).to_be_hidden()


def test_a_page_that_the_browser_kept_shows_what_this_tab_holds(console: Page) -> None:
    """Some browsers empty the fields of a page they bring back."""
    serve_first_customer(console)
    console.evaluate(
        """() => {
            document.querySelector("#q").value = "";
            for (const input of document.querySelectorAll("[data-fill]")) input.value = "";
            const key = Object.keys(sessionStorage).find(one => one.includes("customer"));
            const held = JSON.parse(sessionStorage[key]);
            held.values = [["订单号", "C999999"]];
            sessionStorage[key] = JSON.stringify(held);
            dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        }"""
    )
    expect(box(console)).to_have_value("地址写错了 能改收货地址不")
    expect(field(console, "订单号")).to_have_value("C999999")
    expect(field(console, "新地址")).to_have_value("")
    expect(console.locator(".reply").first).to_contain_text(
        "订单C999999改成：〔收件人〕"
    )


def test_a_basket_asks_for_carried_values_too(console: Page) -> None:
    find(console, "发票", "电子发票怎么开？")
    fill(console, 订单号="A20251130001")
    box(console).focus()
    console.keyboard.press("Alt+=")
    find(console, "换货", "怎么换货？")
    console.keyboard.press("Alt+=")
    empty_clipboard(console)
    console.keyboard.press("Control+Enter")
    expect(said(console)).to_contain_text("沿用：订单号 A20251130001。是同一位客户")
    assert clipboard(console) == "nothing"
    console.keyboard.press("Control+Enter")
    expect(said(console)).to_contain_text("已复制组合，共 2 条")
    assert "A20251130001的发票" in clipboard(console)
    console.keyboard.press("Alt+z")
    expect(console.locator("#basket-items > li")).to_have_count(2)


RULES = [
    ("收货地址", True),
    ("新地址", True),
    ("收件人", True),
    ("联系电话", True),
    ("手机号", True),
    ("客户姓名", True),
    ("退款金额", True),
    ("金额", True),
    ("差价", True),
    ("赔付金额", True),
    ("订单号", False),
    ("运单号", False),
    ("客户称呼", False),
    ("快递公司", False),
    ("商品名称", False),
    ("预计时间", False),
]


def test_the_names_of_what_is_never_carried(console: Page) -> None:
    results = console.evaluate(
        """async ([module, names]) => {
            const { isNeverCarried } = await import(module);
            return names.map(isNeverCarried);
        }""",
        [static("console/carried_values.js"), [name for name, _ in RULES]],
    )
    assert results == [expected for _, expected in RULES]


# Undo ------------------------------------------------------------------------------


def test_two_escapes_can_be_taken_back_by_key_and_by_button(console: Page) -> None:
    rows = console.locator("#basket-items > li")
    for how in ("Control+z", "Alt+z", "click"):
        text = f"地址写错了 能改收货地址不 {how}"
        serve_first_customer(console, text)
        for _ in range(3):
            console.keyboard.press("Alt+=")
        console.keyboard.press("Escape")
        console.keyboard.press("Escape")
        expect(said(console)).to_contain_text("按 Alt+Z 撤销")
        expect(rows).to_have_count(0)
        if how == "click":
            console.get_by_role("button", name="撤销换客户").click()
        else:
            console.keyboard.press(how)
        expect(rows).to_have_count(3)
        expect(box(console)).to_have_value(text)
        assert values(console)["新地址"] == "A路1号"
        expect(said(console)).to_have_text("已撤销换客户")
        console.get_by_role("button", name="清空组合").click()


def test_what_is_removed_from_the_basket_comes_back_beside_what_came_since(
    console: Page,
) -> None:
    titles = console.locator("#basket-items .title")
    find(console, "换货", "怎么换货？")
    console.keyboard.press("Alt+=")
    find(console, "发票", "电子发票怎么开？")
    console.keyboard.press("Alt+=")
    console.locator("#basket-items li").first.get_by_role("button", name="移出").click()
    expect(said(console)).to_contain_text("按 Alt+Z 撤销")
    expect(titles).to_have_count(1)
    find(console, "收货地址", "怎么修改收货地址？")
    console.keyboard.press("Alt+=")
    fill(console, 订单号="A20251130001")
    console.keyboard.press("Alt+z")
    expect(titles).to_have_count(3)
    expect(titles.first).to_contain_text("怎么换货")
    expect(field(console, "订单号")).to_have_value("A20251130001")


def test_an_emptied_basket_a_value_and_the_words_come_back(console: Page) -> None:
    rows = console.locator("#basket-items > li")
    find(console, "发票", "电子发票怎么开？")
    fill(console, 订单号="A20251130001")
    box(console).focus()
    console.keyboard.press("Alt+=")
    console.get_by_role("button", name="清空组合").click()
    expect(rows).to_have_count(0)
    console.get_by_role("button", name="订单号 A20251130001").click()
    expect(field(console, "订单号")).to_have_value("")
    box(console).focus()
    console.keyboard.press("Escape")
    expect(box(console)).to_have_value("")
    console.keyboard.press("Alt+z")
    expect(box(console)).to_have_value("发票")
    console.keyboard.press("Alt+z")
    expect(console.locator("#customer")).to_contain_text("A20251130001")
    console.keyboard.press("Alt+z")
    expect(rows).to_have_count(1)
    expect(console.get_by_role("button", name="撤销")).to_have_count(0)


def test_control_z_belongs_to_the_field_while_somebody_types(console: Page) -> None:
    find(console, "发票", "电子发票怎么开？")
    console.keyboard.press("Alt+=")
    console.get_by_role("button", name="清空组合").click()
    field(console, "订单号").focus()
    console.keyboard.type("12")
    console.keyboard.press("Control+z")
    expect(field(console, "订单号")).not_to_have_value("12")
    expect(console.locator("#basket-items > li")).to_have_count(0)


def test_steps_survive_a_reload(console: Page) -> None:
    find(console, "换货", "怎么换货？")
    console.keyboard.press("Alt+=")
    console.keyboard.press("Escape")
    console.keyboard.press("Escape")
    console.reload()
    console.keyboard.press("Alt+z")
    expect(console.locator("#basket-items > li")).to_have_count(1)


def test_a_favourite_comes_back(
    console: Page, library: dict[str, Entry], agent: User
) -> None:
    preferences.set_favorite(library["plain"], user=agent, wanted=True)
    find(console, "换货", "怎么换货？")
    console.keyboard.press("Alt+f")
    expect(said(console)).to_have_text("已取消收藏")
    assert not Favorite.objects.exists()
    console.keyboard.press("Alt+z")
    expect(said(console)).to_have_text("已恢复收藏")
    assert Favorite.objects.get().entry == library["plain"]
    expect(console.locator("[data-favourite]")).to_have_attribute(
        "aria-pressed", "true"
    )


@pytest.mark.parametrize("seen", [(360, "light"), (1280, "dark")], ids=str)
def test_axe_finds_nothing_wrong(
    seen: tuple[int, Any],
    browser: Browser,
    live_site: str,
    agent: User,
    login: Login,
    library: dict[str, Entry],
) -> None:
    width, scheme = seen
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        base_url=live_site,
        locale="zh-CN",
    )
    page = context.new_page()
    login(page, agent, live_site)
    opened(page)
    find(page, "收货地址", "怎么修改收货地址？")
    fill(page, 订单号="A20251130001", 客户称呼="王女士", 新地址="A路1号")
    page.keyboard.press("Alt+=")
    box(page).fill("怎么改收货地址啊")
    expect(page.locator("#customer-note")).to_contain_text("新地址")
    expect(page.locator(".chip.carried").first).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
