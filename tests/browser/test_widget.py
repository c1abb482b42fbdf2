"""The widget on a page of another origin with the strictest possible CSP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page, expect

from kb.models import Announcement, Entry, Inquiry, Vote
from kb.web.faq import ask_form
from tests.browser.hosting import Host, hosted, violations
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>茶铺</title></head>
<body><main><h1>我的订单</h1><button id="other">付款</button><div id="here"></div></main>{scripts}</body></html>"""


@pytest.fixture
def host(
    settings: Any, live_site: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Host]:
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)
    with hosted() as host:
        settings.KB_WIDGET_ORIGINS = [host.origin]
        host.policy = (
            f"default-src 'none'; script-src {live_site}; connect-src {live_site};"
            " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
            " require-trusted-types-for 'script'; trusted-types 'none'"
        )
        yield host


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    make_entry("发票怎么开？", "在订单里点“开发票”。")
    return make_entry(
        "退货运费谁承担？", "质量问题由**我们**承担。\n\n1. 点退货\n2. 寄回"
    )


def put(host: Host, site: str, *lines: str, lang: str = "zh-Hans") -> str:
    """Write the host's page with one script a line; return its address."""
    lines = lines or ("",)
    scripts = "".join(
        f'<script src="{site}/widget.js" {line}></script>' for line in lines
    )
    host.body = PAGE.format(lang=lang, scripts=scripts)
    return f"{host.origin}/orders/7?secret=1"


def opened(page: Page, address: str) -> Any:
    page.goto(address)
    page.get_by_role("button", name="帮助").click()
    return page.get_by_role("dialog")


def _whole_way(page: Page, host: Host, site: str, entry: Entry) -> None:
    """Search, read, judge and ask, without leaving the host's page."""
    panel = opened(page, put(host, site))
    box = panel.get_by_role("searchbox", name="搜索问题")
    expect(box).to_be_focused()
    expect(panel.get_by_role("button", name="发票怎么开？")).to_be_visible()
    assert violations(page) == []
    page.keyboard.type("退货运费")
    expect(panel.get_by_role("button", name="发票怎么开？")).to_have_count(0)
    panel.get_by_role("button", name="退货运费谁承担？").click()
    expect(panel.locator("strong")).to_have_text("我们")
    expect(panel.locator(".prose li")).to_have_count(2)
    assert violations(page) == []
    _judge(panel)
    _ask(page, panel, site)
    assert page.context.cookies() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _judge(panel: Any) -> None:
    panel.get_by_role("button", name="没帮助").click()
    panel.get_by_label("没解决").check()
    panel.get_by_role("button", name="提交").click()
    expect(panel.get_by_text("谢谢反馈")).to_be_visible()
    expect(panel.get_by_label("没解决")).to_have_count(0)
    row = Vote.objects.get()
    assert (row.reason, row.words) == ("unsolved", "退货运费")


def _ask(page: Page, panel: Any, site: str) -> None:
    panel.get_by_role("button", name="还是没解决").click()
    text = panel.get_by_label("您的问题")
    expect(text).to_have_value("退货运费")
    assert violations(page) == []
    text.fill("我寄回去了，运费还没退")
    panel.get_by_label("手机号或邮箱").fill("随便")
    panel.get_by_role("button", name="提交").click()
    expect(panel.get_by_role("alert")).to_contain_text("请填手机号或邮箱")
    panel.get_by_label("手机号或邮箱").fill("13800001234")
    panel.get_by_role("button", name="提交").click()
    link = panel.get_by_role("link", name="打开我的提问页")
    expect(link).to_be_visible()
    made = Inquiry.objects.select_related("question").get()
    expect(link).to_have_attribute("href", f"{site}/q/{made.token}/")
    assert (made.page, made.words) == ("/orders/7", "退货运费")
    assert made.question.text == "我寄回去了，运费还没退"


def test_a_customer_is_helped_within_the_product(
    page: Page, host: Host, live_site: str, entry: Entry
) -> None:
    _whole_way(page, host, live_site, entry)


def test_a_customer_is_helped_on_a_phone(
    phone: Page, host: Host, live_site: str, entry: Entry
) -> None:
    _whole_way(phone, host, live_site, entry)


def test_the_keyboard_opens_stays_inside_and_comes_back(
    page: Page, host: Host, live_site: str, entry: Entry
) -> None:
    page.goto(put(host, live_site))
    launch = page.get_by_role("button", name="帮助")
    launch.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("searchbox")).to_be_focused()
    page.evaluate(
        "window.outside = 0; document.querySelector('#other').onfocus = () => outside++; null"
    )
    for _ in range(20):
        page.keyboard.press("Tab")
    assert page.evaluate("outside") == 0
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(launch).to_be_focused()
    page.keyboard.press("Enter")
    panel.get_by_role("button", name="关闭").click()
    expect(launch).to_be_focused()


def test_nothing_fires_while_the_input_method_composes(
    page: Page, host: Host, live_site: str, entry: Entry
) -> None:
    panel = opened(page, put(host, live_site))
    expect(panel.get_by_role("searchbox")).to_be_focused()
    asked: list[str] = []
    page.on(
        "request", lambda r: asked.append(r.url) if "/widget/search/" in r.url else None
    )
    page.evaluate(
        """() => {
        const box = document.querySelector('[data-help-widget]').shadowRoot.querySelector('input');
        box.dispatchEvent(new CompositionEvent('compositionstart'));
        box.value = 'tui';
        box.dispatchEvent(new InputEvent('input', { isComposing: true }));
        box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, cancelable: true }));
    }"""
    )
    page.wait_for_timeout(600)
    assert asked == []
    with page.expect_request("**/widget/search/**"):
        page.evaluate(
            """() => {
            const box = document.querySelector('[data-help-widget]').shadowRoot.querySelector('input');
            box.value = '退货';
            box.dispatchEvent(new CompositionEvent('compositionend'));
        }"""
        )


def test_two_widgets_stand_beside_each_other(
    page: Page, host: Host, live_site: str, entry: Entry
) -> None:
    list_line = (
        'data-mode="list" data-target="#here" data-q="发票怎么开" data-title="相关帮助"'
    )
    page.goto(put(host, live_site, list_line, 'data-label="客服" data-position="left"'))
    inline = page.locator("#here [data-help-widget]")
    expect(inline.get_by_role("heading", name="相关帮助")).to_be_visible()
    expect(inline.get_by_role("button", name="发票怎么开？")).to_be_visible()
    expect(inline.get_by_role("button", name="退货运费谁承担？")).to_have_count(0)
    page.get_by_role("button", name="客服", exact=True).click()
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("button", name="退货运费谁承担？")).to_be_visible()
    panel.get_by_role("button", name="退货运费谁承担？").click()
    expect(panel.locator("strong")).to_be_visible()
    expect(inline.locator("strong")).to_have_count(0)
    assert violations(page) == []


def test_the_css_of_the_host_cannot_break_it(
    page: Page, host: Host, live_site: str, entry: Entry
) -> None:
    address = put(host, live_site)
    host.policy += "; style-src 'unsafe-inline'"
    cruel = "*, div, body * { display: none !important; font-size: 1px !important; color: red !important; visibility: hidden } html, body { display: block !important; visibility: visible }"
    host.body = host.body.replace("</head>", f"<style>{cruel}</style></head>")
    panel = opened(page, address)
    expect(panel.get_by_role("button", name="退货运费谁承担？")).to_be_visible()
    size = panel.get_by_role("heading").first.evaluate(
        "e => getComputedStyle(e).fontSize"
    )
    assert size == "16px"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_scripts_and_themes_are_the_hosts_choice(
    page: Page, host: Host, live_site: str, entry: Entry, theme: str
) -> None:
    page.goto(put(host, live_site, f'data-theme="{theme}"', lang="zh-TW"))
    page.get_by_role("button", name="說明").click()
    panel = page.get_by_role("dialog")
    listed = panel.get_by_role("button", name="退貨運費誰承擔？")
    expect(listed).to_be_visible()
    ground = page.evaluate(
        """() => getComputedStyle(document.querySelector('[data-help-widget]')
        .shadowRoot.querySelector('.panel')).backgroundColor"""
    )
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(27, 30, 36)"}[theme]
    assert violations(page) == []


def test_a_picture_that_the_host_forbids_is_a_link(
    browser: Any, host: Host, live_site: str, make_entry: MakeEntry
) -> None:
    made = make_entry("退货点哪里？", "看图：\n\n![右上角的按钮](/media/x.webp)")
    context = browser.new_context(locale="zh-CN")  # whose page may complain
    panel = opened(context.new_page(), put(host, live_site))
    panel.get_by_role("button", name=made.question).click()
    link = panel.get_by_role("link", name="看图：右上角的按钮")
    expect(link).to_have_attribute("href", f"{live_site}/media/x.webp")
    context.close()


def test_an_origin_that_is_not_allowed_sees_a_clear_word(
    page: Page, host: Host, live_site: str, entry: Entry, settings: Any
) -> None:
    settings.KB_WIDGET_ORIGINS = ["https://else.example.com"]
    panel = opened(page, put(host, live_site))
    expect(panel.get_by_role("alert")).to_contain_text("连不上帮助中心")
    settings.KB_WIDGET_ORIGINS = ["*"]
    panel.get_by_role("button", name="再试一次").click()
    panel.get_by_role("button", name="退货运费谁承担？").click()
    expect(panel.locator("strong")).to_be_visible()
    expect(panel.get_by_role("button", name="有帮助")).to_have_count(0)
    asks = panel.get_by_role("link", name="还是没解决")
    expect(asks).to_have_attribute("href", f"{live_site}/ask/")


def test_the_frame_works_in_an_allowed_page(
    page: Page, host: Host, live_site: str, entry: Entry
) -> None:
    host.policy = f"default-src 'none'; frame-src {live_site}"
    host.body = f'<!doctype html><title>x</title><iframe src="{live_site}/embed/" title="帮助" width="360" height="500"></iframe>'
    page.goto(host.origin)
    frame = page.frame_locator("iframe")
    frame.get_by_role("searchbox").fill("退货运费")
    frame.get_by_role("searchbox").press("Enter")
    frame.get_by_role("link", name="退货运费谁承担？").click()
    expect(frame.get_by_text("质量问题由我们承担")).to_be_visible()


def test_the_demo_page_is_copied_from_and_clean(
    page: Page, live_site: str, entry: Entry, editor: Any, login: Any
) -> None:
    login(page, editor, live_site)
    page.goto("/widget/demo/")
    expect(page.get_by_role("dialog")).to_be_hidden()
    inline = page.locator("#demo-list [data-help-widget]")
    expect(inline.get_by_role("button", name=entry.question)).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="复制").first.click()
    expect(page.get_by_role("button", name="已复制")).to_be_visible()
    line = page.evaluate("navigator.clipboard.readText()")
    assert line == f'<script src="{live_site}/widget.js" async></script>'


def test_language_and_theme_change_where_they_are_and_nothing_is_lost(
    page: Page, host: Host, live_site: str, entry: Entry
) -> None:
    """By the host's page, by the script's line, or by the reader's own choice."""
    panel = opened(page, put(host, live_site))
    panel.get_by_role("button", name="还是没解决").click()
    panel.get_by_label("您的问题").fill("我寄回去了")
    page.evaluate("document.documentElement.lang = 'zh-TW'")
    expect(panel.get_by_label("您的問題")).to_have_value("我寄回去了")
    page.evaluate("document.querySelector('script[src]').dataset.lang = 'en'")
    expect(panel.get_by_label("Your question")).to_have_value("我寄回去了")
    panel.get_by_role("button", name="繁體").click()
    expect(panel.get_by_label("您的問題")).to_have_value("我寄回去了")
    expect(panel.get_by_role("button", name="繁體")).to_have_attribute(
        "aria-pressed", "true"
    )
    panel.get_by_role("button", name="返回").click()
    expect(panel.get_by_role("button", name="退貨運費誰承擔？")).to_be_visible()
    ground = """() => getComputedStyle(document.querySelector('[data-help-widget]')
        .shadowRoot.querySelector('.panel')).backgroundColor"""
    for theme, colour in (("dark", "rgb(27, 30, 36)"), ("light", "rgb(255, 255, 255)")):
        page.evaluate(
            f"document.querySelector('script[src]').dataset.theme = '{theme}'"
        )
        page.wait_for_function(f"({ground})() === '{colour}'")
        assert violations(page) == []


def test_running_notices_are_above_the_answers(
    page: Page, host: Host, live_site: str, entry: Entry
) -> None:
    now, hour = timezone.now(), timedelta(hours=1)
    Announcement.objects.create(
        title="大雪，发货延迟",
        body="预计**周五**恢复。",
        keywords="快递",
        audience="public",
        starts_at=now - hour,
        ends_at=now + hour,
        entry=entry,
    )
    panel = opened(page, put(host, live_site))
    notice = panel.get_by_role("region", name="公告")
    expect(notice).to_contain_text("大雪，发货延迟")
    expect(notice.locator("strong").last).to_have_text("周五")
    expect(notice.get_by_role("link")).to_have_attribute(
        "href", f"{live_site}{entry.get_absolute_url()}"
    )
    assert violations(page) == []
    panel.get_by_role("searchbox").fill("发票怎么开")
    expect(panel.get_by_role("button", name="发票怎么开？")).to_be_visible()
    expect(notice).to_have_count(0)
    panel.get_by_role("searchbox").fill("快递什么时候到")
    expect(notice).to_be_visible()


def test_a_heavy_photo_is_made_light_before_it_is_sent(
    page: Page, host: Host, live_site: str, entry: Entry, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    Image.frombytes("RGB", (1800, 1200), Random(5).randbytes(1800 * 1200 * 3)).save(
        photo
    )
    assert photo.stat().st_size > 4 * 1024 * 1024
    panel = opened(page, put(host, live_site))
    panel.get_by_role("button", name="还是没解决").click()
    panel.get_by_label("您的问题").fill("看图")
    panel.get_by_label("截图").set_input_files(photo)
    panel.get_by_role("button", name="提交").click()
    expect(panel.get_by_role("link", name="打开我的提问页")).to_be_visible()
    assert Inquiry.objects.get().attachments.count() == 1
