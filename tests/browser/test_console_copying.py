"""Console: baskets, channels, pictures, filters and the clipboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.templatetags.static import static
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from kb.accounts import preferences
from kb.index import sync
from kb.index.engines import get_engine
from kb.library import pictures
from kb.models import CopyEvent, Entry, Favorite, Reply, Tag, User
from tests.browser.driving import (
    box,
    chosen,
    clipboard,
    compressed,
    empty_clipboard,
    find,
    found,
    opened,
    said,
    violations,
)
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]


@pytest.fixture
def library(make_entry: MakeEntry) -> dict[str, Entry]:
    return {
        "invoice": make_entry(
            "电子发票怎么开？", "点开发票。", replies=["请点“开发票”。"]
        ),
        "coupon": make_entry(
            "优惠券怎么用？",
            replies=["{{客户称呼}}，下单时选券。"],
            audience="internal",
        ),
        "freight": make_entry("退货运费谁承担？", replies=["运费我们出。"]),
    }


@pytest.fixture
def console(
    page: Page, live_site: str, agent: User, login: Login, library: dict[str, Entry]
) -> Page:
    login(page, agent, live_site)
    return opened(page)


# The basket --------------------------------------------------------------------


def test_a_basket_is_put_in_order_and_copied_once(
    page: Page, live_site: str, agent: User, login: Login, library: dict[str, Entry]
) -> None:
    preferences.save_agent_profile(
        agent,
        shown_name="小茶",
        greeting="{{客户称呼=亲}}，我是{{客服昵称}}。",
        closing="祝您生活愉快！",
        signature="茶语客服",
    )
    login(page, agent, live_site)
    opened(page)
    basket = page.get_by_role("region", name="组合")
    expect(basket).to_be_hidden()
    find(page, "发票", "电子发票怎么开？")
    page.keyboard.press("Alt+=")
    expect(said(page)).to_have_text("已加入组合，第 1 条")
    find(page, "退货运费", "退货运费谁承担？")
    page.keyboard.press("Alt+=")
    expect(basket.get_by_role("listitem")).to_have_count(2)
    page.keyboard.press("Alt+[")
    expect(basket.get_by_role("listitem").first).to_contain_text("退货运费")
    expect(box(page)).to_be_focused()
    with page.expect_response("**/console/pick/") as copy_report:
        page.keyboard.press("Control+Enter")
    assert copy_report.value.status == 204
    expect(said(page)).to_have_text("已复制组合，共 2 条")
    assert clipboard(page) == (
        "亲，我是小茶。\n运费我们出。\n请点“开发票”。\n祝您生活愉快！\n茶语客服"
    )
    expect(basket).to_be_hidden()
    copies = list(CopyEvent.objects.order_by("id"))
    assert [c.entry for c in copies] == [library["freight"], library["invoice"]]
    assert [(c.kind, c.words, c.rank) for c in copies] == [
        ("basket", "退货运费", 1),
        ("basket", "发票", 1),
    ]


def test_what_a_basket_misses_is_asked_once_for_all(console: Page) -> None:
    find(console, "优惠券", "优惠券怎么用？")
    console.get_by_role("button", name="加入组合").click()
    find(console, "发票", "电子发票怎么开？")
    console.keyboard.press("Alt+=")
    empty_clipboard(console)
    console.keyboard.press("Control+Enter")
    expect(said(console)).to_contain_text("还没填：客户称呼")
    field = console.locator("#basket-fills").get_by_label("客户称呼")
    expect(field).to_be_focused()
    assert clipboard(console) == "nothing"
    console.keyboard.type("王女士")
    console.keyboard.press("Enter")
    expect(said(console)).to_have_text("已复制组合，共 2 条")
    assert clipboard(console) == "王女士，下单时选券。\n请点“开发票”。"


def test_a_basket_with_a_blank_left_needs_a_second_time(console: Page) -> None:
    find(console, "优惠券", "优惠券怎么用？")
    console.keyboard.press("Alt+=")
    for _ in range(2):
        console.keyboard.press("Control+Enter")
    expect(said(console)).to_have_text("已复制组合，共 1 条，但还空着：客户称呼")
    assert clipboard(console) == "〔客户称呼〕，下单时选券。"


def test_a_basket_is_emptied_by_key_by_button_and_by_the_next_customer(
    console: Page,
) -> None:
    rows = console.locator("#basket-items > li")
    find(console, "发票", "电子发票怎么开？")
    for _ in range(3):
        console.keyboard.press("Alt+=")
    expect(rows).to_have_count(3)
    console.reload()  # is kept, as what is known of the customer is
    expect(rows).to_have_count(3)
    console.keyboard.press("Alt+-")
    expect(rows).to_have_count(2)
    rows.first.get_by_role("button", name="移出").click()
    expect(rows).to_have_count(1)
    console.keyboard.press("Control+k")
    for _ in range(2):
        console.keyboard.press("Escape")
    expect(said(console)).to_contain_text("已清空，请接待下一位客户")
    expect(rows).to_have_count(0)
    console.keyboard.press("Control+Enter")
    expect(said(console)).to_contain_text("组合还是空的")


def test_plus_away_from_a_field_adds_to_the_basket(console: Page) -> None:
    find(console, "发票", "电子发票怎么开？")
    box(console).evaluate("box => box.blur()")
    console.keyboard.press("+")
    expect(console.locator("#basket-items > li")).to_have_count(1)


# Channels ----------------------------------------------------------------------


MESSAGES = [
    ("", 1),
    ("a" * 160, 1),
    ("a" * 161, 2),
    ("a" * 306, 2),
    ("a" * 307, 3),
    ("€" * 80, 1),
    ("€" * 81, 2),
    ("好" * 70, 1),
    ("好" * 71, 2),
    ("好" * 134, 2),
    ("好" * 135, 3),
    ("😀" * 35, 1),
    ("😀" * 36, 2),
    ("a" * 69 + "好", 1),
    ("a" * 70 + "好", 2),
]


def test_text_messages_are_counted_as_networks_count(console: Page) -> None:
    counted = console.evaluate(
        """async ([module, texts]) => {
            const { countSmsParts } = await import(module);
            return texts.map(countSmsParts);
        }""",
        [static("console/channels.js"), [text for text, _ in MESSAGES]],
    )
    assert counted == [count for _, count in MESSAGES]


def test_the_length_is_counted_for_the_channel(
    console: Page, library: dict[str, Entry]
) -> None:
    body = "第一行\n\n\n" + "好" * 68
    Reply.objects.filter(entry=library["invoice"]).update(text=body)
    find(console, "发票", "电子发票怎么开？")
    length = console.locator("[data-length]")
    expect(length).to_have_text("74 字")
    console.get_by_label("渠道", exact=True).select_option("短信")
    expect(length).to_have_text("72 字 · 短信 2 条")
    expect(length).to_have_class(re.compile("over"))
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制：")
    assert clipboard(console) == "第一行\n" + "好" * 68
    console.get_by_label("渠道", exact=True).select_option("微信")
    expect(length).to_have_text("74 字 · 微信 216/2048 字节")
    console.get_by_label("渠道", exact=True).select_option("千牛")
    expect(length).to_have_text("74 字 · 千牛最多 1000 字")
    expect(length).not_to_have_class(re.compile("over"))


def test_a_copy_tells_its_channel(console: Page) -> None:
    console.get_by_label("渠道", exact=True).select_option("微信")
    find(console, "发票", "电子发票怎么开？")
    with console.expect_response("**/console/pick/"):
        console.keyboard.press("Enter")
    assert CopyEvent.objects.get().channel == "wechat"


def test_links_are_written_out(console: Page, make_entry: MakeEntry) -> None:
    make_entry("怎么查物流？", "看[物流页](/help/)。\n\n1. 登录\n2. 点**订单**")
    find(console, "怎么查物流", "怎么查物流？")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制：")
    site = console.evaluate("location.origin")
    assert clipboard(console) == f"看物流页：{site}/help/ 。\n1. 登录\n2. 点订单"


# Links and pictures --------------------------------------------------------------


def test_alt_l_copies_the_link_of_the_faq_page(
    console: Page, library: dict[str, Entry]
) -> None:
    find(console, "发票", "电子发票怎么开？")
    with console.expect_response("**/console/pick/"):
        console.keyboard.press("Alt+l")
    expect(said(console)).to_have_text("已复制链接")
    path = library["invoice"].get_absolute_url()
    assert clipboard(console) == console.evaluate(
        "path => new URL(path, location.href).href", path
    )
    find(console, "优惠券", "优惠券怎么用？")
    console.keyboard.press("Alt+l")
    expect(said(console)).to_have_text("这条没有公开的 FAQ 页面")


@pytest.fixture
def pictured(
    settings: Any, tmp_path: Path, make_entry: MakeEntry, editor: User
) -> Entry:
    settings.MEDIA_ROOT = tmp_path
    made = BytesIO()
    Image.new("RGB", (60, 40), (20, 90, 60)).save(made, "PNG")
    upload = SimpleUploadedFile("a.png", made.getvalue())
    kept = pictures.store_picture(upload, alt="改地址", by=editor)
    return make_entry("怎么改地址？", f"1. 点这里\n\n   ![改地址]({kept.url})")


def test_the_picture_of_a_step_is_copied(console: Page, pictured: Entry) -> None:
    find(console, "怎么改地址", "怎么改地址？")
    console.locator("summary").get_by_text("FAQ 答案").click()
    with console.expect_response("**/console/pick/"):
        console.get_by_role("button", name="复制图片：改地址").click()
    expect(said(console)).to_have_text("已复制图片")
    types = console.evaluate(
        "navigator.clipboard.read().then(items => items.flatMap(item => item.types))"
    )
    assert types == ["image/png"]
    assert CopyEvent.objects.get().kind == "picture"


def test_where_pictures_cannot_be_copied_they_are_opened(
    page: Page,
    live_site: str,
    agent: User,
    login: Login,
    library: dict[str, Entry],
    pictured: Entry,
) -> None:
    page.add_init_script("delete window.ClipboardItem")
    login(page, agent, live_site)
    opened(page)
    find(page, "怎么改地址", "怎么改地址？")
    page.locator("summary").get_by_text("FAQ 答案").click()
    with page.context.expect_page() as window:
        page.get_by_role("button", name="复制图片：改地址").click()
    expect(said(page)).to_contain_text("已在新窗口打开")
    assert "/media/" in window.value.url


# At hand -----------------------------------------------------------------------


def test_alt_f_keeps_an_entry_at_hand(
    console: Page, library: dict[str, Entry], agent: User
) -> None:
    find(console, "发票", "电子发票怎么开？")
    console.keyboard.press("Alt+f")
    expect(said(console)).to_have_text("已收藏")
    expect(chosen(console)).to_contain_text("★")
    assert Favorite.objects.get().entry == library["invoice"]
    for _ in range(1):
        console.keyboard.press("Escape")
    expect(
        console.get_by_role("group", name="收藏").get_by_role("option")
    ).to_have_text(re.compile("电子发票怎么开？"))
    expect(chosen(console)).to_contain_text("电子发票怎么开？")
    console.keyboard.press("Alt+f")
    expect(said(console)).to_have_text("已取消收藏")
    assert not Favorite.objects.exists()


def test_filters_stay(console: Page, library: dict[str, Entry]) -> None:
    library["invoice"].tags.add(Tag.objects.create(name="钱"))
    opened(console)
    console.get_by_label("标签", exact=True).select_option("钱")
    expect(found(console)).to_have_count(1)
    expect(console).to_have_url(re.compile(r"tag=\d+$"))
    for _ in range(2):
        console.keyboard.press("Escape")
    expect(found(console)).to_have_count(1)
    opened(console)  # another day, without an address
    expect(found(console)).to_have_count(1)
    expect(console.get_by_label("标签", exact=True)).to_have_value(re.compile(r"\d"))
    console.get_by_label("标签", exact=True).select_option("标签")
    expect(found(console)).to_have_count(3)


def test_what_is_known_of_a_customer_is_a_chip_that_can_be_taken_off(
    console: Page,
) -> None:
    find(console, "优惠券", "优惠券怎么用？")
    console.get_by_label("客户称呼").fill("王女士")
    console.get_by_role("button", name="客户称呼 王女士").click()
    expect(console.locator("#customer")).to_be_hidden()
    expect(console.get_by_label("客户称呼")).to_have_value("")


# A window beside others ----------------------------------------------------------


def test_an_address_with_words_shows_what_they_find(
    page: Page, live_site: str, agent: User, login: Login, library: dict[str, Entry]
) -> None:
    login(page, agent, live_site)
    opened(page, "/console/?q=电子发票")
    expect(chosen(page)).to_contain_text("电子发票怎么开？")
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("已复制：电子发票怎么开？")


def test_the_bookmark_opens_the_console_with_what_is_selected(
    page: Page, live_site: str, agent: User, login: Login, library: dict[str, Entry]
) -> None:
    login(page, agent, live_site)
    page.goto("/console/install/")
    bookmark = page.get_by_role("link", name="话术台", exact=True).last
    code = bookmark.get_attribute("href")
    bookmark.click()
    expect(said(page)).to_have_text("请把按钮拖到书签栏")
    page.get_by_role("button", name="复制这段").click()
    expect(said(page)).to_have_text("已复制")
    assert clipboard(page) == code
    page.goto("/")
    page.evaluate(
        """() => {
            document.querySelector('main').textContent = '电子\\n 发票';
            getSelection().selectAllChildren(document.querySelector('main'));
        }"""
    )
    with page.context.expect_page() as window:
        page.evaluate(str(code).removeprefix("javascript:"))
    beside = window.value
    expect(box(beside)).to_have_value("电子 发票")
    expect(chosen(beside)).to_contain_text("电子发票怎么开？")


# The whole day -------------------------------------------------------------------


CUSTOMERS = [
    # words, question, values in the order they are asked for, what is copied
    ("发票在哪开", "电子发票怎么开？", [], "请点“开发票”。"),
    ("退货运费谁出", "退货运费谁承担？", [], "运费我们出。"),
    ("优惠券怎么用啊", "优惠券怎么用？", ["王女士"], "王女士，下单时选券。"),
    ("什么时候发货", "什么时候发货？", [" 7 "], "7 天内发货。"),
    ("查快递", "怎么查快递？", ["SF1"], "亲，单号 SF1。"),
    ("换货", "怎么换货？", [], "点换货。"),
    ("tuihuo", "退货运费谁承担？", [], "运费我们出。"),
    ("忘记密码", "忘记密码怎么办？", [], "点找回。"),
    ("积分有啥用", "积分有什么用？", [], "抵钱。"),
    ("电子发票", "电子发票怎么开？", [], "请点“开发票”。"),
]


def test_ten_customers_by_keyboard_alone(console: Page, make_entry: MakeEntry) -> None:
    """Paste, Enter, whatever is asked for, Enter; Esc Esc, the next."""
    for question, reply in [
        ("什么时候发货？", "{{天数}} 天内发货。"),
        ("怎么查快递？", "{{客户称呼=亲}}，单号 {{运单号}}。"),
        ("怎么换货？", "点换货。"),
        ("忘记密码怎么办？", "点找回。"),
        ("积分有什么用？", "抵钱。"),
    ]:
        make_entry(question, replies=[reply])
    for words, question, values, sent in CUSTOMERS:
        expect(box(console)).to_be_focused()
        console.keyboard.insert_text(words)  # as a paste does
        console.keyboard.press("Enter")
        for value in values:
            expect(said(console)).to_contain_text("还没填")
            console.keyboard.type(value)
            console.keyboard.press("Enter")
        expect(said(console)).to_have_text(f"已复制：{question} · 标准")
        assert clipboard(console) == sent
        for _ in range(2):
            console.keyboard.press("Escape")
        expect(box(console)).to_have_value("")
        expect(console.locator("#customer")).to_be_hidden()
    copies = CopyEvent.objects.order_by("id")
    for _ in range(100):  # the last is reported after it is copied
        if copies.count() == len(CUSTOMERS):
            break
        console.wait_for_timeout(50)
    asked = copies.values_list("entry__question", flat=True)
    assert list(asked) == [question for _, question, _, _ in CUSTOMERS]
    assert len({copy.conversation for copy in copies}) == len(CUSTOMERS)


SAID = "我上周买的紫砂壶到现在还没有收到货请问电子发票怎么开"
LONGEST_FRAME = 500  # ms, on a machine that does other things, too
FRAMES = """() => {
    window.gaps = [];
    let before = performance.now();
    const frame = (now) => {
        window.gaps.push(now - before);
        before = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""


@pytest.mark.data
def test_typing_fast_on_ten_thousand_entries_ends_on_the_last_text(
    console: Page, library: dict[str, Entry], settings: Any, tmp_path: Path
) -> None:
    """Eight characters a second: no frame is long in coming, the last text wins."""
    settings.KB_ENGINE = {
        "BACKEND": "kb.index.engines.whoosh.WhooshEngine",
        "PATH": tmp_path / "index",
    }
    get_engine.cache_clear()
    things = "壶 杯 茶 盘 罐 券 单 包 盒 票".split()
    asked = "怎么退 多久到 怎么洗 能改吗 在哪买 有货吗 怎么选 贵不贵 坏了 丢了".split()
    Entry.objects.bulk_create(
        Entry(
            question=f"{thing}{n}{what}？",
            question_key=f"{thing}{n}{what}",
            answer=f"{thing}{n}：{what}，请看说明。",
            answer_html=f"<p>{thing}{n}：{what}，请看说明。</p>",
            answer_text=f"{thing}{n}：{what}，请看说明。",
            status="published",
            audience="public",
        )
        for thing in things
        for what in asked
        for n in range(100)
    )
    sync.rebuild_index()
    opened(console)
    console.evaluate(FRAMES)
    for character in SAID:
        console.keyboard.insert_text(character)
        console.wait_for_timeout(125)
    last = re.compile(f"q={quote(SAID)}$")
    expect(console).to_have_url(last, timeout=30_000)
    expect(console.locator("#panes")).not_to_have_attribute("aria-busy", "true")
    expect(chosen(console)).to_contain_text("电子发票怎么开？")
    expect(box(console)).to_have_value(SAID)
    assert max(console.evaluate("window.gaps")) < LONGEST_FRAME
    shown = found(console).evaluate_all("all => all.map(one => one.dataset.entry)")
    console.goto(f"/console/?q={SAID}")
    again = found(console).evaluate_all("all => all.map(one => one.dataset.entry)")
    assert shown == again


def test_the_whole_page_is_small(console: Page) -> None:
    """Of what a first visit fetches, compressed: at most 60 KB."""
    sizes: dict[str, int] = {}

    def weigh(response: Any) -> None:
        if response.request.resource_type not in {"image", "manifest"}:
            sizes[response.url] = compressed(response.body())

    console.goto("about:blank")  # nothing of the page before is still under way
    console.on("response", weigh)
    opened(console, "/console/?q=怎么")
    console.wait_for_load_state("networkidle")
    assert len(sizes) > 12
    assert sum(sizes.values()) <= 60_000, sizes


@pytest.mark.parametrize(
    "seen", [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")], ids=str
)
def test_axe_finds_nothing_wrong(
    seen: tuple[int, Any],
    browser: Browser,
    live_site: str,
    agent: User,
    login: Login,
    make_entry: MakeEntry,
) -> None:
    make_entry("优惠券怎么用？", replies=["{{客户称呼}}，选券。", "选券。"])
    preferences.save_agent_profile(agent, greeting="您好")
    preferences.set_favorite(make_entry("发票怎么开？"), user=agent, wanted=True)
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
    assert violations(page) == []
    find(page, "优惠券", "优惠券怎么用？")
    page.keyboard.press("Alt+=")
    page.get_by_label("客户称呼").first.fill("王女士")
    box(page).focus()
    page.keyboard.press("Alt+2")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for address in ("/console/settings/", "/console/install/"):
        page.goto(address)
        assert violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
