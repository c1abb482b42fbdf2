"""Widget and console without browser features that are younger than 2021."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from kb.models import User
from tests.browser.driving import box, chosen, clipboard, find, said
from tests.browser.driving import opened as opened_console
from tests.browser.hosting import Host
from tests.browser.test_widget import host, opened, put  # noqa: F401
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]
OLDER = """
delete AbortSignal.timeout;
delete AbortSignal.any;
delete URLSearchParams.prototype.size;
delete Array.prototype.toSpliced;
delete Array.prototype.toSorted;
delete Array.prototype.findLast;
delete window.ClipboardItem;
"""


def test_the_widget_searches_and_asks(
    page: Page,
    host: Host,  # noqa: F811
    live_site: str,
    make_entry: MakeEntry,
) -> None:
    make_entry("退货运费谁承担？", "质量问题由我们承担。")
    page.add_init_script(OLDER)
    panel = opened(page, put(host, live_site))
    panel.get_by_role("searchbox").fill("退货运费")
    panel.get_by_role("button", name="退货运费谁承担？").click()
    expect(panel.get_by_text("质量问题由我们承担。")).to_be_visible()
    panel.get_by_role("button", name="还是没解决").click()
    panel.get_by_label("您的问题").fill("还没退")
    panel.get_by_role("button", name="提交").click()
    expect(panel.get_by_text("打开我的提问页")).to_be_visible()


def test_the_console_searches_copies_and_remembers(
    page: Page, live_site: str, agent: User, login: Login, make_entry: MakeEntry
) -> None:
    make_entry("电子发票怎么开？", replies=["请点“开发票”。"])
    page.add_init_script(OLDER)
    login(page, agent, live_site)
    opened_console(page)
    find(page, "发票", "电子发票怎么开？")
    page.keyboard.press("Alt+=")
    page.keyboard.press("Alt+-")
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("已复制")
    assert clipboard(page) == "请点“开发票”。"
    expect(page).to_have_url(re.compile("q="))
    page.reload()
    expect(box(page)).to_have_value("发票")
    expect(chosen(page)).to_contain_text("电子发票怎么开？")


def test_the_text_is_shown_and_selected_where_the_browser_refuses_to_copy(
    page: Page, live_site: str, agent: User, login: Login, make_entry: MakeEntry
) -> None:
    make_entry("电子发票怎么开？", replies=["请点“开发票”。"])
    page.add_init_script(
        """Object.defineProperty(Navigator.prototype, "clipboard", { value: undefined });
        document.execCommand = () => false;"""
    )
    login(page, agent, live_site)
    opened_console(page)
    find(page, "发票", "电子发票怎么开？")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="浏览器不让自动复制")
    expect(dialog.get_by_label("要复制的文字")).to_be_focused()
    expect(dialog).to_contain_text("按 Ctrl+C 复制")
    page.keyboard.press("ControlOrMeta+c")
    expect(dialog).to_be_hidden()
    expect(said(page)).to_contain_text("已复制")
    expect(box(page)).to_be_focused()
    page.keyboard.press("ControlOrMeta+v")
    expect(box(page)).to_have_value("请点“开发票”。")


def test_a_refused_question_keeps_the_focus_in_the_widget(
    page: Page,
    host: Host,  # noqa: F811
    live_site: str,
    make_entry: MakeEntry,
) -> None:
    make_entry("退货运费谁承担？", "质量问题由我们承担。")
    panel = opened(page, put(host, live_site))
    panel.get_by_role("button", name="还是没解决").click()
    panel.get_by_label("您的问题").fill("还没退")
    panel.get_by_label("手机号或邮箱").fill("随便")
    panel.get_by_role("button", name="提交").click()
    expect(panel.get_by_role("alert")).to_contain_text("请填手机号或邮箱")
    expect(panel.get_by_role("button", name="提交")).to_be_focused()
    panel.get_by_label("手机号或邮箱").fill("13800001234")
    panel.get_by_role("button", name="提交").click()
    expect(panel.get_by_text("打开我的提问页")).to_be_visible()
    inside = "document.querySelector('[data-help-widget]').shadowRoot.activeElement"
    assert page.evaluate(f"{inside} !== null")
