"""The form of an entry in a browser: preview, checks, similar entries, autosave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kb.language import style_rules
from kb.library import entries
from kb.models import Entry, User
from tests.browser.driving import violations
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]


@pytest.fixture
def write(
    live_site: str, editor: User, login: Login, make_entry: MakeEntry
) -> Callable[..., Any]:
    """Return a function that opens the page of an entry, or of a new one."""
    style_rules.load_starter_rules()

    def open_page(page: Page, **columns: Any) -> Any:
        login(page, editor, live_site)
        if columns:
            page.goto(f"/admin/kb/entry/{make_entry(**columns).pk}/change/")
        else:
            page.goto("/admin/kb/entry/add/")
        expect(page.locator("#writing.scripted")).to_be_visible()
        return page

    return open_page


def shown(page: Page) -> Any:
    return page.frame_locator("iframe[title=答案预览]").locator("#main")


def finding(page: Page, words: str) -> Any:
    return page.locator("[data-findings] button", has_text=words)


def test_preview_follows_the_form(page: Page, write: Any) -> None:
    write(page)
    page.get_by_label("标准问题").fill("网络断线怎么办")
    answer = page.get_by_label("FAQ 答案")
    answer.fill("联系客服。\n\n> [!注意]\n> 先**重启**")
    expect(shown(page).get_by_role("heading", name="网络断线怎么办")).to_be_visible()
    expect(shown(page).locator(".callout.note strong").nth(1)).to_have_text("重启")
    page.get_by_role("button", name="繁體").click()
    expect(shown(page)).to_contain_text("聯絡客服")
    expect(page.get_by_role("button", name="繁體")).to_have_attribute(
        "aria-pressed", "true"
    )
    answer.fill("退款三天到账。")  # it stays in 繁體
    expect(shown(page)).to_contain_text("退款三天到帳")


def test_finding_selects_its_text(page: Page, write: Any) -> None:
    write(
        page, question="怎么联系", answer="看👨‍👩‍👧这里", replies=["亲，{{客户称呼}}"]
    )
    page.get_by_label("FAQ 答案").fill("看👨‍👩‍👧这里\n找小王 13812345678")
    finding(page, "13812345678").click()
    selected = "e => [e.name, e.value.slice(e.selectionStart, e.selectionEnd)]"
    focus = page.locator(":focus")
    assert focus.evaluate(selected) == ["answer", "13812345678"]
    body = page.locator("[name=replies-0-body]")
    body.fill("亲{{客户称呼}}，您必须等")
    expect(page.locator(".drawn mark")).to_have_text("客户称呼")
    finding(page, "您必须").click()
    assert focus.evaluate(selected) == ["replies-0-body", "您必须"]
    body.fill("亲{{客户称呼")
    expect(finding(page, "{{客户称呼")).to_contain_text("没有成对")
    expect(page.locator("[data-count]")).to_have_text("2 处不能发布")


def test_new_reply_is_checked(page: Page, write: Any) -> None:
    write(page)
    page.locator("#replies-group .add-row a").click()
    page.locator("[name=replies-0-body]").fill("随你便")
    finding(page, "随你便").click()
    expect(page.locator(":focus")).to_have_attribute("name", "replies-0-body")


def test_similar_entries_follow_the_question(
    page: Page, write: Any, make_entry: MakeEntry
) -> None:
    make_entry("退货运费谁承担？")
    write(page)
    expect(page.locator("[data-alike]")).to_be_hidden()
    page.get_by_label("标准问题").fill("退货的运费谁承担")
    near = page.locator("[data-near] li")
    expect(near).to_contain_text("退货运费谁承担？")
    expect(near).to_contain_text("几乎一样")


def test_phrasings_are_chips_that_fill_the_field(page: Page, write: Any) -> None:
    write(page, phrasings=["能退吗"])
    area = page.locator("[name=phrasings]")
    entry = page.get_by_label("加一个相似问法")
    entry.fill("怎么退")
    entry.press("Enter")
    entry.fill("能退吗？")  # known
    entry.press("Enter")
    expect(area).to_have_value("能退吗\n怎么退")
    entry.evaluate(
        """e => { const t = new DataTransfer(); t.setData('text/plain', '一\\n二\\n');
        e.dispatchEvent(new ClipboardEvent('paste',
            { clipboardData: t, bubbles: true, cancelable: true })); }"""
    )
    page.get_by_role("button", name="去掉「怎么退」").click()
    expect(area).to_have_value("能退吗\n一\n二")
    entry.evaluate(
        """e => { e.value = 'tui'; e.dispatchEvent(new KeyboardEvent('keydown',
        { key: 'Enter', isComposing: true, bubbles: true })); }"""
    )
    expect(area).to_have_value("能退吗\n一\n二")
    page.get_by_role("button", name="成批编辑").click()
    area.fill("甲\n乙")
    page.get_by_role("button", name="改完了").click()
    expect(page.locator(".chips-field li")).to_have_count(2)


@pytest.mark.parametrize("size", ["page", "phone"])
def test_form_is_accessible(
    request: pytest.FixtureRequest, write: Any, make_entry: MakeEntry, size: str
) -> None:
    page: Page = request.getfixturevalue(size)
    make_entry("退货运费谁承担呢")
    write(
        page,
        question="退货运费谁承担？",
        answer="我们全国第一。",
        replies=["亲，{{订单号}}"],
        phrasings=["能退吗"],
    )
    expect(finding(page, "全国第一")).to_be_visible()
    expect(shown(page)).to_contain_text("全国第一")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert violations(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_autosaved_form_is_offered_again(page: Page, write: Any) -> None:
    write(page, question="怎么联系", replies=["亲"])
    page.get_by_label("FAQ 答案").fill("写了一半")
    page.locator("[name=replies-0-body]").fill("亲，改了一半")
    expect(page.locator("[data-kept]")).to_contain_text("已暂存")
    page.reload()
    expect(page.get_by_label("FAQ 答案")).not_to_have_value("写了一半")
    page.get_by_role("button", name="恢复").click()
    expect(page.get_by_label("FAQ 答案")).to_have_value("写了一半")
    expect(page.locator("[name=replies-0-body]")).to_have_value("亲，改了一半")
    expect(page.get_by_text("请更正以下错误")).to_be_hidden()
    page.locator("[name=_continue]").click()
    expect(page.locator(".messagelist")).to_contain_text("成功")
    expect(page.get_by_label("FAQ 答案")).to_have_value("写了一半")
    expect(page.locator("[data-unsaved]")).to_have_count(0)


def test_new_entry_is_autosaved_and_dropped(page: Page, write: Any) -> None:
    write(page)
    page.get_by_label("标准问题").fill("新的问题")
    expect(page.locator("[data-kept]")).to_contain_text("已暂存")
    page.goto("/admin/kb/entry/add/")
    expect(page.locator("[data-unsaved]")).to_contain_text("新的问题")
    page.get_by_role("button", name="丢弃").click()
    expect(page.locator("[data-unsaved]")).to_have_count(0)


def test_second_editor_chooses_between_both_sides(page: Page, write: Any) -> None:
    write(page, question="怎么联系", answer="请先申请。", replies=["亲，等一下"])
    entry = Entry.objects.get()
    entries.update_entry(
        entry, by=None, based_on=entry.version, answer="请先打电话。", keywords="th"
    )
    page.get_by_label("FAQ 答案").fill("请先联系客服。")
    page.locator("[name=_save]").click()
    choice = page.get_by_role("group", name="FAQ 答案")
    expect(choice.locator("del")).to_have_text("打电话")
    expect(choice.locator("ins")).to_have_text("联系客服")
    expect(page.get_by_label("短码和关键词")).to_have_value("th")
    answer = page.locator("[name=answer]")
    choice.get_by_label("用对方的").check()
    expect(answer).to_have_value("请先打电话。")
    choice.get_by_label("留我的").check()
    expect(answer).to_have_value("请先联系客服。")
    choice.get_by_label("用对方的").check()
    answer.press_sequentially("谢谢")  # this chooses the own side
    expect(choice.get_by_label("留我的")).to_be_checked()
    assert [v for v in violations(page) if "conflict" in v or "choice" in v] == []
    page.locator("[name=_save]").click()
    expect(page.locator(".messagelist")).to_contain_text("成功")
    entry.refresh_from_db()
    assert (entry.answer, entry.keywords) == ("请先打电话。谢谢", "th")
