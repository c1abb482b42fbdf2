"""The desk in a browser: by keyboard, with an input method, on a phone, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from kb.models import Category, Entry, Question, Tag, User
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]
TEXTS = ["退货运费谁出呀", "发票抬头怎么改", "优惠券过期了能补吗"]


@pytest.fixture
def library(make_entry: MakeEntry, make_question: MakeQuestion) -> list[Entry]:
    """Two entries about freight, and three questions that wait."""
    entries = [
        make_entry("退货运费谁承担？", replies=["亲，运费我们出 {{运单号}}。"]),
        make_entry("退货运费怎么报销？", replies=["请把单号发来。"]),
    ]
    now = timezone.now()
    for day, text in enumerate(TEXTS):
        make_question(text, asked_at=now - timedelta(days=9 - day))
    return entries


@pytest.fixture
def desk(
    page: Page, live_site: str, editor: User, login: Login, library: list[Entry]
) -> Page:
    """Return the inbox of an editor, open and ready for keys."""
    login(page, editor, live_site)
    page.goto("/desk/inbox/")
    expect(page.locator("#keys")).to_be_visible()
    return page


def expect_question(page: Page, text: str) -> None:
    expect(page.locator("h1")).to_have_text(text)


def waiting() -> int:
    return Question.objects.awaiting_triage().count()


def first_entry(page: Page) -> str:
    return page.locator(".candidate h3 a").first.inner_text().split()[0]


def test_keys_j_and_k_move_through_the_queue(desk: Page) -> None:
    for key, text in [
        ("j", TEXTS[1]),
        ("ArrowDown", TEXTS[2]),
        ("k", TEXTS[1]),
        ("ArrowUp", TEXTS[0]),
        ("J", TEXTS[1]),
    ]:
        desk.keyboard.press(key)
        expect_question(desk, text)
    assert waiting() == 3


def test_digit_merges_and_u_undoes(desk: Page) -> None:
    name = first_entry(desk)
    desk.keyboard.press("1")
    expect_question(desk, TEXTS[1])
    expect(desk.locator(".message")).to_contain_text(f"已并入「{name}」")
    entry = Entry.objects.get(question=name)
    assert [p.text for p in entry.phrasings.all()] == [TEXTS[0]]
    desk.keyboard.press("u")
    expect_question(desk, TEXTS[0])
    expect(desk.locator(".message")).to_contain_text(name)
    assert not entry.phrasings.exists()
    assert waiting() == 3


def test_phrasing_is_edited_before_merging(desk: Page) -> None:
    field = desk.get_by_label("并入时保留的问法")
    field.fill("运费谁来付")
    field.press("1")  # a digit of the wording
    sent: list[str] = []
    desk.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    field.press("Enter")  # only leaves the field
    expect(field).not_to_be_focused()
    assert waiting() == 3
    desk.keyboard.press("2")
    expect_question(desk, TEXTS[1])
    assert len(sent) == 1
    phrasing = Entry.objects.get(questions__text=TEXTS[0]).phrasings.get()
    assert phrasing.text == "运费谁来付1"


def test_n_opens_the_form_of_a_new_entry(desk: Page) -> None:
    desk.keyboard.press("n")
    question = desk.get_by_label("标准问题")
    expect(question).to_be_focused()
    expect(question).to_have_value(TEXTS[0])
    question.fill("")
    desk.keyboard.type("jk1xu/ 怎么退")
    expect(question).to_have_value("jk1xu/ 怎么退")
    desk.keyboard.press("Control+Enter")
    expect_question(desk, TEXTS[1])
    entry = Entry.objects.get(question="jk1xu/ 怎么退")
    assert entry.status == "draft"
    assert [p.text for p in entry.phrasings.all()] == [TEXTS[0]]


def test_x_declines_with_a_digit_for_the_reason(desk: Page) -> None:
    desk.keyboard.press("x")
    desk.keyboard.press("2")
    expect(desk.get_by_label("重复")).to_be_checked()
    assert waiting() == 3
    desk.keyboard.press("Enter")
    expect_question(desk, TEXTS[1])
    assert Question.objects.get(text=TEXTS[0]).reason == "重复"


def test_slash_searches_and_digits_choose_a_result(desk: Page) -> None:
    desk.keyboard.press("j")
    expect_question(desk, TEXTS[1])
    desk.get_by_label("找别的条目").wait_for()
    desk.keyboard.press("/")
    expect(desk.get_by_label("找别的条目")).to_be_focused()
    desk.keyboard.type("报销")
    desk.keyboard.press("Enter")
    expect(desk.locator("#near")).to_contain_text("报销")
    expect(desk.locator(".candidate").first).to_contain_text("怎么报销")
    desk.keyboard.press("1")
    expect_question(desk, TEXTS[2])
    assert Question.objects.get(text=TEXTS[1]).entry == Entry.objects.get(
        question="退货运费怎么报销？"
    )


COMPOSING = """([key, init]) => document.body.dispatchEvent(
    new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true, ...init}))"""


def test_keys_are_ignored_during_composition(desk: Page) -> None:
    for key in ("1", "n", "x", "j", "u", "ArrowDown", "Escape", "Enter"):
        desk.evaluate(COMPOSING, [key, {"isComposing": True}])
        desk.evaluate(COMPOSING, [key, {"keyCode": 229}])
    expect_question(desk, TEXTS[0])
    expect(desk.locator("details[open]")).to_have_count(0)
    assert waiting() == 3
    desk.evaluate(COMPOSING, ["n", {}])  # the same event, not composing, is handled
    expect(desk.locator("details[open]")).to_have_count(1)


def test_repeated_keys_and_ctrl_combinations_are_ignored(desk: Page) -> None:
    desk.evaluate(COMPOSING, ["1", {"repeat": True}])
    for modifier in ("ctrlKey", "altKey", "metaKey"):
        desk.evaluate(COMPOSING, ["1", {modifier: True}])
    desk.evaluate(COMPOSING, ["x", {}])
    expect(desk.locator("#decline")).to_have_attribute("open", "")
    expect_question(desk, TEXTS[0])
    assert waiting() == 3


def test_escape_leaves_the_field_and_closes_what_is_open(desk: Page) -> None:
    desk.keyboard.press("n")
    expect(desk.get_by_label("标准问题")).to_be_focused()
    desk.keyboard.press("Escape")
    expect(desk.get_by_label("标准问题")).not_to_be_focused()
    desk.keyboard.press("j")
    expect_question(desk, TEXTS[1])


def test_leaving_with_unsaved_text_asks_for_confirmation(desk: Page) -> None:
    desk.keyboard.press("n")
    desk.keyboard.type("写了很久")
    desk.keyboard.press("Escape")
    dialogs = []

    def stay(dialog: Any) -> None:
        dialogs.append(dialog.type)
        dialog.dismiss()

    desk.on("dialog", stay)
    with desk.expect_event("dialog"):
        desk.keyboard.press("j")
    assert dialogs == ["beforeunload"]
    expect_question(desk, TEXTS[0])
    expect(desk.get_by_label("标准问题")).to_have_value("写了很久" + TEXTS[0])
    desk.get_by_role("button", name="保存草稿").click()
    expect_question(desk, TEXTS[1])
    assert dialogs == ["beforeunload"]


def test_switching_keys_off_is_remembered(desk: Page) -> None:
    desk.get_by_role("button", name="快捷键：开").click()
    desk.reload()
    expect(desk.get_by_role("button", name="快捷键：关")).to_be_visible()
    desk.keyboard.press("n")
    expect(desk.locator("details[open]")).to_have_count(0)
    desk.get_by_role("button", name="快捷键：关").click()
    desk.keyboard.press("n")
    expect(desk.locator("details[open]")).to_have_count(1)


def test_refused_form_focuses_the_first_error(desk: Page) -> None:
    desk.keyboard.press("x")
    desk.get_by_label("其他").check()
    desk.get_by_role("button", name="不收录").click()
    expect(desk.locator("#decline")).to_have_attribute("open", "")
    expect(desk.get_by_text("选「其他」时请写明原因。")).to_be_visible()
    expect(desk.get_by_label("补充说明")).to_be_focused()


def test_everything_works_without_scripts(
    browser: Browser, live_site: str, editor: User, login: Login, library: list[Entry]
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=live_site)
    page = context.new_page()
    login(page, editor, live_site)
    page.goto("/desk/inbox/")
    expect(page.locator("#keys")).to_be_hidden()
    page.get_by_label("找别的条目").fill("报销")
    page.get_by_label("找别的条目").press("Enter")
    expect(page.locator("#near")).to_contain_text("报销")
    page.locator(".candidate button").first.click()
    expect_question(page, TEXTS[1])
    page.get_by_role("button", name="撤销").click()
    expect_question(page, TEXTS[0])
    page.locator("#new summary").click()
    page.get_by_role("button", name="保存并发布").click()
    expect_question(page, TEXTS[1])
    page.locator("#decline summary").click()
    page.get_by_label("无关").check()
    page.locator("#decline button").click()
    expect_question(page, TEXTS[2])
    page.get_by_label("渠道").select_option("other")
    page.get_by_role("button", name="筛选").click()
    expect_question(page, TEXTS[2])
    context.close()
    assert waiting() == 1


@pytest.mark.parametrize(
    "address", ["/desk/inbox/", "/desk/drafts/", "/login/", "/password/"]
)
@pytest.mark.usefixtures("library")
def test_inbox_fits_a_phone(
    phone: Page, live_site: str, editor: User, login: Login, address: str
) -> None:
    Entry.objects.create(question="很长的标题" * 30, answer="`" + "x" * 300 + "`")
    if address != "/login/":
        login(phone, editor, live_site)
    phone.goto(address)
    for summary in phone.locator("summary").all():
        summary.click()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    small = """els => els.map(e => e.closest("label") ?? e)
        .filter(e => e.offsetParent && e.getBoundingClientRect().height < 24)
        .map(e => e.outerHTML.slice(0, 80))"""
    controls = phone.locator(
        "main :is(button, input, select, summary):not(.visually-hidden)"
    )
    assert controls.evaluate_all(small) == []


def test_tap_merges_on_a_phone(
    phone: Page, live_site: str, editor: User, login: Login, library: list[Entry]
) -> None:
    login(phone, editor, live_site)
    phone.goto("/desk/inbox/")
    phone.locator(".candidate button").first.click()
    expect_question(phone, TEXTS[1])
    assert waiting() == 2


def test_draft_is_read_and_published(desk: Page, make_entry: MakeEntry) -> None:
    draft = make_entry(
        "还是草稿？", status="draft", answer="**先看**", replies=["{{单号}}"]
    )
    desk.goto("/desk/drafts/")
    desk.locator("summary").click()
    expect(desk.locator(".prose strong")).to_have_text("先看")
    expect(desk.locator(".blank")).to_have_text("〔单号〕")
    desk.get_by_role("button", name="发布", exact=True).click()
    expect(desk.locator(".message")).to_contain_text("还是草稿？")
    draft.refresh_from_db()
    assert draft.status == "published"


def test_login_leads_to_the_desk(page: Page, live_site: str, editor: User) -> None:
    page.goto("/desk/inbox/")
    expect(page.get_by_label("用户名")).to_be_focused()
    page.keyboard.type("editor")
    page.get_by_label("密码").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不对")
    page.get_by_label("密码").fill("一壶好茶 2026")
    page.keyboard.press("Enter")
    expect(page.get_by_text("都整理完了")).to_be_visible()
    page.get_by_role("button", name="退出").click()
    page.wait_for_url(f"{live_site}/")
    cookies = {cookie["name"] for cookie in page.context.cookies()}
    assert settings.SESSION_COOKIE_NAME not in cookies


def test_the_admin_works_under_the_strict_policy(
    page: Page, live_site: str, editor: User, login: Login, make_entry: MakeEntry
) -> None:
    Tag.objects.create(name="运费")
    for name in ("售前", "售后"):
        Category.objects.create(name=name)
    entry = make_entry(replies=["旧话术"])
    login(page, editor, live_site)
    page.goto(f"/admin/kb/entry/{entry.pk}/change/")
    for field, typed, name in (("tags", "运", "运费"), ("category", "后", "售后")):
        page.locator(f".field-{field} .select2-selection").click()
        page.keyboard.type(typed)
        page.get_by_role("option", name=name).click()
    page.get_by_text("再加一个话术").click()
    page.locator("#id_replies-1-body").fill("第二条话术")
    page.get_by_role("button", name="保存并下线").click()
    expect(page.locator(".messagelist")).to_contain_text("已保存并下线")
    entry.refresh_from_db()
    assert (entry.status, str(entry.category)) == ("retired", "售后")
    bodies = [reply.body for reply in entry.replies.all()]
    assert (str(entry.tags.get()), bodies) == ("运费", ["旧话术", "第二条话术"])
    page.goto("/admin/kb/category/")
    page.get_by_role("button", name="上移「售后」").click()
    expect(page.locator(".tree").first).to_have_text("售后")
    page.goto("/admin/kb/entry/")
    page.locator("#action-toggle").check()
    page.get_by_label("动作").select_option(label="恢复为草稿所选的条目")
    for name in ("执行", "恢复为草稿这 1 条"):
        page.get_by_role("button", name=name).click()
    expect(page.locator(".messagelist")).to_contain_text("恢复为草稿：1 条成功")
