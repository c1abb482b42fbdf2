"""Console: search, choose and copy by keyboard and with an input method."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.templatetags.static import static
from playwright.sync_api import Browser, Page, Request, Route, expect

from kb.library import entries
from kb.models import Category, CopyEvent, Entry, Pick, Reply, Search, User
from kb.templatetags.console import mark_blanks
from tests.browser.driving import (
    box,
    chosen,
    clipboard,
    empty_clipboard,
    find,
    found,
    opened,
    said,
)
from tests.conftest import MakeEntry

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
Login = Callable[..., None]
CASES = json.loads((Path(__file__).parents[1] / "blank_cases.json").read_text())


@pytest.fixture
def library(make_entry: MakeEntry) -> dict[str, Entry]:
    """Three entries; the freight one has three variants and two blanks."""
    freight = [
        "亲，运费我们出，单号 {{运单号}} 收到。",
        "运费我们出。",
        "{{客户称呼}}，抱歉！",
    ]
    return {
        "invoice": make_entry(
            "电子发票怎么开？", "点开发票。", replies=["请点“开发票”。"]
        ),
        "coupon": make_entry(
            "优惠券怎么用？", "下单时选。", replies=["{{客户称呼}}，选券。"]
        ),
        "freight": make_entry("退货运费谁承担？", replies=freight),
    }


@pytest.fixture
def console(
    page: Page, live_site: str, agent: User, login: Login, library: dict[str, Entry]
) -> Page:
    """Return the console of an agent, open and ready for keys."""
    login(page, agent, live_site)
    return opened(page)


# From question to clipboard ----------------------------------------------------


def test_type_and_enter_puts_the_reply_on_the_clipboard(console: Page) -> None:
    expect(box(console)).to_be_focused()
    find(console, "发票", "电子发票怎么开？")
    console.keyboard.press("Enter")
    expect(said(console)).to_have_text("已复制：电子发票怎么开？ · 标准")
    assert clipboard(console) == "请点“开发票”。"
    console.keyboard.type("优惠券")  # replaces what the last customer said
    expect(box(console)).to_have_value("优惠券")
    expect(chosen(console)).to_contain_text("优惠券怎么用？")


def test_enter_copies_what_was_typed_for_and_not_what_stood_there(
    console: Page,
) -> None:
    find(console, "优惠券", "优惠券怎么用？")
    box(console).fill("发票")
    console.keyboard.press("Enter")  # before any answer can have come
    expect(said(console)).to_contain_text("已复制：电子发票怎么开？")
    assert clipboard(console) == "请点“开发票”。"


def test_a_blank_is_filled_inline_and_enter_copies(console: Page) -> None:
    find(console, "退货", "退货运费谁承担？")
    console.keyboard.press("Enter")
    field = console.get_by_label("运单号")
    expect(field).to_be_focused()
    console.keyboard.type(" SF 100 ")
    expect(console.locator(".reply").first).to_have_text(
        "亲，运费我们出，单号 SF 100 收到。"
    )
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制：")
    assert clipboard(console) == "亲，运费我们出，单号 SF 100 收到。"
    expect(box(console)).to_be_focused()


def test_an_empty_blank_needs_a_second_enter(console: Page) -> None:
    find(console, "退货", "退货运费谁承担？")
    empty_clipboard(console)
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("还没填：运单号")
    expect(console.get_by_label("运单号")).to_have_attribute("aria-invalid", "true")
    assert clipboard(console) == "nothing"
    console.keyboard.press("Enter")
    expect(said(console)).to_have_text("已复制，但还空着：运单号")
    assert clipboard(console) == "亲，运费我们出，单号 〔运单号〕 收到。"


def test_a_held_enter_is_no_second_enter(console: Page) -> None:
    find(console, "退货", "退货运费谁承担？")
    empty_clipboard(console)
    for _ in range(5):  # the second `down` of a key repeats it
        console.keyboard.down("Enter")
    console.keyboard.up("Enter")
    expect(said(console)).to_contain_text("还没填：运单号")
    assert clipboard(console) == "nothing"


def test_the_warning_holds_for_one_variant_only(console: Page) -> None:
    find(console, "退货", "退货运费谁承担？")
    empty_clipboard(console)
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("还没填：运单号")
    for _ in range(2):
        console.keyboard.press("Alt+ArrowRight")
    box(console).focus()
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("还没填：客户称呼")
    assert clipboard(console) == "nothing"


def test_enter_goes_from_blank_to_blank(console: Page, make_entry: MakeEntry) -> None:
    make_entry("什么时候到？", replies=["{{甲}}、{{乙}}、{{丙}}"])
    find(console, "什么时候到", "什么时候到？")
    console.get_by_label("乙").fill("2")
    box(console).focus()
    console.keyboard.press("Enter")
    expect(console.get_by_label("甲")).to_be_focused()
    console.keyboard.type("1")
    console.keyboard.press("Enter")
    expect(console.get_by_label("丙")).to_be_focused()
    expect(said(console)).to_be_empty()
    console.keyboard.type("3")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制：")
    assert clipboard(console) == "1、2、3"


def test_the_page_fills_as_the_library_does(console: Page) -> None:
    """The table of tests/blank_cases.json, which kb.text.placeholders.blanks passes too."""
    filled = console.evaluate(
        """async ([module, cases]) => {
            const { fill, missed, pieces } = await import(module);
            return cases.map(({ drawn, values }) => {
                const place = document.createElement("p");
                place.innerHTML = drawn;
                const given = new Map(Object.entries(values));
                const value = (name) => given.get(name) ?? "";
                const parts = pieces(place);
                return [fill(parts, value), missed(parts, value)];
            });
        }""",
        [
            static("console/blanks.js"),
            [c | {"drawn": mark_blanks(c["body"])} for c in CASES],
        ],
    )
    assert filled == [[case["filled"], case["missed"]] for case in CASES]


def test_choices_dates_and_what_may_stay_empty(
    console: Page, make_entry: MakeEntry
) -> None:
    make_entry(
        "什么时候发货？",
        replies=["{{称呼=亲}}，{{快递|顺丰|中通}} {{发货日期}} 发{{备注?}}。"],
    )
    find(console, "什么时候发货", "什么时候发货？")
    reply = console.locator(".reply").first
    expect(reply).to_have_text("亲，〔快递〕 〔发货日期〕 发。")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("还没填：快递、发货日期")
    expect(console.get_by_label("快递")).to_be_focused()
    console.keyboard.press("ArrowDown")  # a list: its first choice
    console.keyboard.press("Enter")
    expect(console.get_by_label("发货日期")).to_be_focused()
    console.get_by_label("发货日期").fill("2026-03-05")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制：")
    assert clipboard(console) == "亲，顺丰 2026年3月5日 发。"


def test_a_reply_with_a_spoilt_blank_needs_a_second_enter(
    console: Page, library: dict[str, Entry]
) -> None:
    Reply.objects.filter(entry=library["invoice"]).update(text="单号{{单号")
    find(console, "发票", "电子发票怎么开？")
    empty_clipboard(console)
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("「{{单号」的花括号没有成对。仍要复制")
    assert clipboard(console) == "nothing"
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制：")
    assert clipboard(console) == "单号{{单号"


# Choosing ----------------------------------------------------------------------


def test_arrows_choose_and_the_box_keeps_the_focus(console: Page) -> None:
    expect(found(console)).to_have_count(3)
    console.keyboard.press("ArrowDown")
    expect(chosen(console)).to_contain_text("优惠券怎么用？")
    active = chosen(console).get_attribute("id")
    expect(box(console)).to_have_attribute("aria-activedescendant", str(active))
    expect(console.get_by_role("heading", name="优惠券怎么用？")).to_be_visible()
    for _ in range(5):
        console.keyboard.press("ArrowDown")
    expect(chosen(console)).to_contain_text("电子发票怎么开？")
    expect(box(console)).to_be_focused()
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制：电子发票怎么开？")


def test_alt_and_a_digit_copies_that_result_at_once(console: Page) -> None:
    find(console, "怎么", "怎么")
    box(console).fill("")
    expect(found(console).nth(2)).to_contain_text("电子发票怎么开？")
    console.keyboard.press("Alt+3")
    expect(said(console)).to_contain_text("已复制：电子发票怎么开？")
    assert clipboard(console) == "请点“开发票”。"
    console.keyboard.press("Alt+1")
    expect(said(console)).to_contain_text("还没填：运单号")
    console.keyboard.press("Alt+9")  # there is no ninth
    expect(chosen(console)).to_contain_text("退货运费谁承担？")


def test_digits_belong_to_the_query(console: Page) -> None:
    empty_clipboard(console)
    console.keyboard.type("3999")
    expect(box(console)).to_have_value("3999")
    expect(found(console)).to_have_count(0)
    assert clipboard(console) == "nothing"


def test_away_from_a_field_digits_pick_and_letters_go_to_the_box(console: Page) -> None:
    box(console).evaluate("box => box.blur()")
    console.keyboard.press("3")
    expect(said(console)).to_contain_text("已复制：电子发票怎么开？")
    box(console).evaluate("box => box.blur()")
    console.keyboard.type("wifi")
    expect(box(console)).to_have_value(re.compile("wifi$"))


def test_tab_changes_the_variant_and_leaves_after_the_last(console: Page) -> None:
    find(console, "退货", "退货运费谁承担？")
    tabs = console.get_by_role("tab")
    expect(tabs).to_have_count(3)
    for number in (1, 2):
        console.keyboard.press("Tab")
        expect(tabs.nth(number)).to_have_attribute("aria-selected", "true")
        expect(box(console)).to_be_focused()
    console.keyboard.press("Tab")
    expect(box(console)).not_to_be_focused()
    box(console).focus()
    console.keyboard.press("Shift+Tab")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制：")
    assert clipboard(console) == "运费我们出。"


def test_arrows_with_alt_and_on_the_tabs_change_the_variant(console: Page) -> None:
    find(console, "退货", "退货运费谁承担？")
    tabs = console.get_by_role("tab")
    console.keyboard.press("Alt+ArrowRight")
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(console.get_by_role("tabpanel")).to_contain_text("运费我们出。")
    console.keyboard.press("Alt+ArrowLeft")
    expect(tabs.nth(0)).to_have_attribute("aria-selected", "true")
    tabs.nth(0).focus()
    console.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()


def test_the_category_narrows_what_is_found(
    console: Page, library: dict[str, Entry]
) -> None:
    money = Category.objects.create(name="钱")
    invoice = library["invoice"]
    entries.update_entry(invoice, by=None, based_on=invoice.version, category=money)
    opened(console)
    console.get_by_label("分类", exact=True).select_option("钱")
    expect(found(console)).to_have_count(1)
    expect(chosen(console)).to_contain_text("电子发票怎么开？")
    expect(console).to_have_url(re.compile(rf"category={money.pk}$"))


# The customer of the moment ------------------------------------------------------


def test_values_stay_for_this_customer_until_escape_twice(console: Page) -> None:
    find(console, "优惠券", "优惠券怎么用？")
    console.get_by_label("客户称呼").fill("王女士")
    find(console, "退货", "退货运费谁承担？")
    for _ in range(2):
        console.keyboard.press("Tab")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("沿用：客户称呼 王女士。是同一位客户，再按")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制：")
    assert clipboard(console) == "王女士，抱歉！"
    console.reload()
    expect(console.locator("#customer")).to_contain_text("王女士")
    expect(box(console)).to_be_focused()
    console.keyboard.press("Escape")
    expect(box(console)).to_have_value("")
    expect(console.locator("#customer")).to_contain_text("王女士")
    console.keyboard.press("Escape")
    expect(console.locator("#customer")).to_be_hidden()
    find(console, "优惠券", "优惠券怎么用？")
    expect(console.get_by_label("客户称呼")).to_have_value("")
    expect(console.locator(".reply").first).to_have_text("〔客户称呼〕，选券。")


def test_two_escapes_with_a_key_between_keep_the_customer(console: Page) -> None:
    find(console, "优惠券", "优惠券怎么用？")
    console.get_by_label("客户称呼").fill("王女士")
    console.keyboard.press("Escape")  # back to the box, which keeps its words
    expect(box(console)).to_have_value("优惠券")
    console.keyboard.type("退")
    console.keyboard.press("Escape")
    expect(box(console)).to_have_value("")
    console.keyboard.press("ArrowDown")
    console.keyboard.press("Escape")
    expect(said(console)).to_have_text("再按一次 Esc 换下一位客户")
    expect(console.locator("#customer")).to_contain_text("王女士")


def test_another_agent_in_the_same_tab_meets_no_values(
    console: Page, live_site: str, editor: User, login: Login
) -> None:
    find(console, "优惠券", "优惠券怎么用？")
    console.get_by_label("客户称呼").fill("王女士")
    login(console, editor, live_site)
    opened(console)
    expect(console.locator("#customer")).to_be_hidden()


# The input method ----------------------------------------------------------------


def compose(page: Page, text: str) -> Any:
    """Begin a composition as an input method does; return the session."""
    session = page.context.new_cdp_session(page)
    session.send(
        "Input.imeSetComposition",
        {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
    )
    return session


def press_while_composing(session: Any, key: str, *numbers: int) -> None:
    """Press `key`, which browsers report by its own number or as 229."""
    for number in numbers:
        event = {"type": "rawKeyDown", "key": key}
        session.send(
            "Input.dispatchKeyEvent", event | {"windowsVirtualKeyCode": number}
        )


# Here no input method swallows the keys: Tab would go on as Chromium's own.
KEYS = {
    "Enter": (13, 229),
    "ArrowDown": (40, 229),
    "ArrowUp": (38, 229),
    "Escape": (27, 229),
    "Tab": (229,),
    **{str(digit): (48 + digit, 229) for digit in (1, 2, 9)},
}


def test_while_composing_no_key_is_ours_and_nothing_is_searched(console: Page) -> None:
    find(console, "发票", "电子发票怎么开？")
    empty_clipboard(console)
    box(console).fill("")
    expect(found(console)).to_have_count(3)
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    console.on("request", note)
    session = compose(console, "tui'huo")
    for key, numbers in KEYS.items():
        press_while_composing(session, key, *numbers)
    expect(box(console)).to_have_value("tui'huo")
    expect(box(console)).to_be_focused()
    expect(chosen(console)).to_contain_text("退货运费谁承担？")
    expect(console.get_by_role("tab").first).to_have_attribute("aria-selected", "true")
    expect(said(console)).to_be_empty()
    assert clipboard(console) == "nothing"
    assert not [url for url in asked if "fragment=results" in url]
    session.send("Input.insertText", {"text": "优惠券"})
    expect(chosen(console)).to_contain_text("优惠券怎么用？")


def test_a_key_that_the_input_method_ate_is_not_ours(console: Page) -> None:
    """Safari reports the Enter that ends a composition after its end, as 229."""
    find(console, "发票", "电子发票怎么开？")
    empty_clipboard(console)
    session = console.context.new_cdp_session(console)
    event = {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 229}
    session.send("Input.dispatchKeyEvent", event)
    console.keyboard.press("ArrowRight")  # done with the key before
    expect(said(console)).to_be_empty()
    assert clipboard(console) == "nothing"


def test_composing_in_a_blank_copies_nothing(console: Page) -> None:
    find(console, "退货", "退货运费谁承担？")
    empty_clipboard(console)
    console.get_by_label("运单号").focus()
    session = compose(console, "shun'feng")
    for key in ("1", "ArrowDown", "Escape", "Enter"):
        press_while_composing(session, key, *KEYS[key])
    expect(console.get_by_label("运单号")).to_be_focused()
    session.send("Input.insertText", {"text": "顺丰"})
    expect(console.locator(".reply").first).to_have_text(
        "亲，运费我们出，单号 顺丰 收到。"
    )
    expect(said(console)).to_be_empty()
    assert clipboard(console) == "nothing"


# When things go wrong --------------------------------------------------------------


def test_a_late_answer_to_an_older_query_is_dropped(console: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    console.route(lambda url: "q=%E5%8F%91%E7%A5%A8" in url, hold)
    with console.expect_request(re.compile("fragment=results")):
        box(console).fill("发票")
    with console.expect_event("requestfailed"):  # it is not even waited for
        box(console).fill("优惠券")
    expect(chosen(console)).to_contain_text("优惠券怎么用？")
    assert len(held) == 1


def test_enter_waits_for_the_preview_of_what_was_chosen(console: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    find(console, "怎么", "怎么")
    empty_clipboard(console)
    box(console).fill("")
    expect(found(console)).to_have_count(3)
    console.route(lambda url: "fragment=preview" in url, hold)
    with console.expect_request(re.compile("fragment=preview")):
        found(console).nth(2).click()
    console.keyboard.press("Enter")
    assert clipboard(console) == "nothing"
    for route in held:
        route.continue_()
    console.unroute_all()
    expect(said(console)).to_contain_text("已复制：电子发票怎么开？")
    assert clipboard(console) == "请点“开发票”。"


def test_a_late_answer_does_not_disturb_who_fills_a_blank(console: Page) -> None:
    find(console, "退货", "退货运费谁承担？")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    console.route(lambda url: "fragment=results" in url, hold)
    with console.expect_request(re.compile("fragment=results")):
        box(console).fill("退货运费")
    console.get_by_label("运单号").focus()
    console.keyboard.type("SF")
    with console.expect_response(re.compile("fragment=results")):
        held[0].continue_()
    expect(console.locator("#panes")).not_to_have_attribute("aria-busy", "true")
    expect(console.get_by_label("运单号")).to_be_focused()
    console.keyboard.type("100")
    expect(console.locator(".reply").first).to_contain_text("单号 SF100 收到")


def test_escape_calls_off_an_enter_that_waits(console: Page) -> None:
    empty_clipboard(console)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    console.route(lambda url: "q=" in url, hold)
    with console.expect_request(re.compile("q=")):
        box(console).fill("发票")
    for key in ("Enter", "Escape"):
        console.keyboard.press(key)
    expect(found(console)).to_have_count(3)
    expect(box(console)).to_have_value("")
    expect(said(console)).to_be_empty()
    assert clipboard(console) == "nothing"


def test_a_lost_connection_is_reported_and_copies_nothing(console: Page) -> None:
    find(console, "优惠券", "优惠券怎么用？")
    empty_clipboard(console)
    console.context.set_offline(True)
    box(console).fill("发票")
    expect(said(console)).to_have_text("网络不通，结果没有更新")
    with console.expect_event("requestfailed"):
        console.keyboard.press("Enter")
    expect(said(console)).to_have_text("网络不通，结果没有更新")
    assert clipboard(console) == "nothing"
    console.context.set_offline(False)
    console.wait_for_function("navigator.onLine")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制：电子发票怎么开？")


def test_a_copy_tells_the_server_what_answered_which_words(
    console: Page, library: dict[str, Entry], agent: User
) -> None:
    find(console, "发票", "电子发票怎么开？")
    with console.expect_response("**/console/pick/") as copy_report:
        console.keyboard.press("Enter")
    assert copy_report.value.status == 204
    pick, search = Pick.objects.get(), Search.objects.get()
    assert (pick.words, pick.entry, pick.rank) == ("发票", library["invoice"], 1)
    assert (search.words, search.by, search.results) == ("发票", agent, 1)


def test_every_copy_is_reported_with_its_customer(
    console: Page, library: dict[str, Entry], agent: User
) -> None:
    find(console, "发票", "电子发票怎么开？")
    with console.expect_response("**/console/pick/"):
        console.keyboard.press("Enter")
    first = CopyEvent.objects.get()
    assert (first.reply, first.by) == (library["invoice"].replies.get(), agent)
    assert first.took_ms is not None
    assert len(first.conversation) == 24
    with console.expect_response(re.compile("fragment=results")):
        box(console).fill("")
    expect(found(console)).to_have_count(3)
    with console.expect_response("**/console/pick/"):
        console.keyboard.press("Alt+1")  # nothing was searched for: a copy, no pick
    with console.expect_response("**/console/pick/"):
        console.get_by_role("button", name="复制链接").click()
    for _ in range(2):
        console.keyboard.press("Escape")
    with console.expect_response("**/console/pick/"):
        console.keyboard.press("Alt+1")
    link, unasked = CopyEvent.objects.all()[1:3]
    assert (unasked.words, unasked.rank, unasked.took_ms) == ("", None, None)
    assert (link.kind, link.reply) == (CopyEvent.Kind.LINK, None)
    tokens = list(
        CopyEvent.objects.order_by("id").values_list("conversation", flat=True)
    )
    assert tokens[0] == tokens[1] == tokens[2] != tokens[3]
    assert Pick.objects.count() == Search.objects.count() == 1


@pytest.mark.parametrize("status", [0, 403, 500])
def test_a_copy_that_cannot_be_reported_is_still_a_copy(
    console: Page, status: int
) -> None:
    def refuse(route: Route) -> None:
        if status:
            route.fulfill(status=status, body="")
        else:
            route.abort()

    console.route("**/console/pick/", refuse)
    find(console, "发票", "电子发票怎么开？")
    with console.expect_request("**/console/pick/"):
        console.keyboard.press("Enter")
    expect(said(console)).to_have_text("已复制：电子发票怎么开？ · 标准")
    assert clipboard(console) == "请点“开发票”。"


def test_an_entry_retired_meanwhile_is_not_copied(
    console: Page, library: dict[str, Entry]
) -> None:
    expect(found(console)).to_have_count(3)
    entries.retire_entry(library["invoice"], by=None)
    empty_clipboard(console)
    console.keyboard.press("Alt+3")
    expect(said(console)).to_have_text("这条话术刚刚下线了")
    expect(found(console)).to_have_count(2)
    assert clipboard(console) == "nothing"


def test_a_signed_out_agent_signs_in_and_the_search_goes_on(console: Page) -> None:
    console.context.clear_cookies()
    console.keyboard.type("发票")
    expect(console.get_by_role("dialog", name="登录已过期")).to_be_visible()
    expect(console.get_by_label("密码")).to_be_focused()
    console.keyboard.type("一壶好茶 2026")
    console.keyboard.press("Enter")
    expect(chosen(console)).to_contain_text("电子发票怎么开？")
    expect(box(console)).to_be_focused()
    console.keyboard.press("Alt+f")  # with the token of the new session
    expect(said(console)).to_have_text("已收藏")


def test_it_copies_where_the_page_has_no_clipboard(
    page: Page, live_site: str, agent: User, login: Login, library: dict[str, Entry]
) -> None:
    page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'clipboard', {value: undefined})"
    )
    login(page, agent, live_site)
    opened(page)
    Reply.objects.filter(entry=library["invoice"]).update(text="第一行 第二行")
    find(page, "发票", "电子发票怎么开？")
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("已复制：")
    expect(box(page)).to_be_focused()
    page.keyboard.press("ControlOrMeta+v")
    expect(box(page)).to_have_value("第一行 第二行")


# The page itself -------------------------------------------------------------------


def test_the_address_follows_and_can_be_reloaded(
    console: Page, library: dict[str, Entry]
) -> None:
    find(console, "怎么用", "优惠券怎么用？")
    expect(console).to_have_url(re.compile("q=%E6%80%8E%E4%B9%88%E7%94%A8$"))
    box(console).fill("")
    expect(found(console)).to_have_count(3)
    console.keyboard.press("ArrowDown")
    expect(console).to_have_url(re.compile(f"entry={library['coupon'].pk}$"))
    console.reload()
    expect(chosen(console)).to_contain_text("优惠券怎么用？")


def test_a_click_on_nothing_gives_the_box_its_focus_back(console: Page) -> None:
    console.locator(".status").click()
    expect(box(console)).to_be_focused()
    found(console).nth(1).click()
    expect(chosen(console)).to_contain_text("优惠券怎么用？")
    expect(box(console)).to_be_focused()


def test_it_works_without_a_script(
    browser: Browser,
    live_site: str,
    agent: User,
    login: Login,
    library: dict[str, Entry],
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=live_site)
    page = context.new_page()
    login(page, agent, live_site)
    page.goto("/console/")
    box(page).fill("退货")
    page.get_by_role("button", name="搜索").click()
    expect(page.locator(".reply")).to_have_count(3)
    for reply in page.locator(".reply").all():
        expect(reply).to_be_visible()
    page.goto("/console/")
    found(page).nth(1).click()
    expect(page.get_by_role("heading", name="优惠券怎么用？")).to_be_visible()
    context.close()


def test_it_is_usable_on_a_phone(
    phone: Page, live_site: str, agent: User, login: Login, library: dict[str, Entry]
) -> None:
    login(phone, agent, live_site)
    opened(phone)
    box(phone).fill("怎么")
    expect(found(phone)).not_to_have_count(3)
    phone.get_by_role("listbox").get_by_role("option", name="优惠券").click()
    field = phone.get_by_label("客户称呼")
    expect(field).to_be_in_viewport(ratio=1)
    field.fill("王女士")
    copy = phone.get_by_role("button", name="复制 Enter")
    expect(copy).to_be_in_viewport(ratio=1)
    copy.click()
    expect(said(phone)).to_be_in_viewport(ratio=1)
    expect(said(phone)).to_contain_text("已复制：")
    assert clipboard(phone) == "王女士，选券。"
    assert phone.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("sentences", [1, 2, 3, 4, 6])
def test_a_blank_to_fill_is_not_behind_the_bar_of_a_phone(
    phone: Page,
    live_site: str,
    agent: User,
    login: Login,
    make_entry: MakeEntry,
    sentences: int,
) -> None:
    """However long the reply is, and wherever the field of the blank is."""
    said = "您好，质量问题的运费由我们承担。" * sentences
    make_entry("运费谁出", replies=[f"{said}{{{{商品名}}}}，{{{{预计时间}}}}。"])
    login(phone, agent, live_site)
    opened(phone, "/console/?q=运费谁出")
    box(phone).press("Enter")
    for name in ("商品名", "预计时间"):
        field = phone.get_by_label(name)
        expect(field).to_be_focused()
        seen = field.evaluate(
            "one => { const at = one.getBoundingClientRect();"
            " return [at.top + 2, at.bottom - 2].every(y =>"
            " document.elementFromPoint(at.left + 9, y) === one) }"
        )
        assert seen, name
        field.fill("一")
        field.press("Enter")


def test_filters_say_what_they_are_on_a_phone(
    phone: Page, live_site: str, agent: User, login: Login, make_entry: MakeEntry
) -> None:
    make_entry("运费谁出")
    login(phone, agent, live_site)
    opened(phone)
    for name in ("分类", "范围", "渠道"):
        field = phone.get_by_label(name, exact=True)
        assert field.evaluate("one => one.selectedOptions[0].label") == name
        room = field.evaluate("one => one.clientWidth")
        assert room >= 64  # px: two characters, the arrow and the edges
