"""Notices, capture, feedback, next questions and practice, by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from kb.library import entries
from kb.models import (
    Announcement,
    CopyEvent,
    Entry,
    FollowUp,
    PracticeAttempt,
    Question,
    ReplyFeedback,
    User,
)
from kb.questions import intake, to_entries
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
Login = Callable[..., None]
# What a browser sends while an input method composes: the key is the method's own.
COMPOSING = """(target, key) => target.dispatchEvent(new KeyboardEvent("keydown", {
  key: key.key, code: key.code ?? "", altKey: !!key.alt, ctrlKey: !!key.ctrl,
  isComposing: true, keyCode: 229, bubbles: true, cancelable: true }))"""


@pytest.fixture
def freight(make_entry: MakeEntry) -> Entry:
    return make_entry("退货运费谁承担？", replies=["亲，运费我们出。"])


@pytest.fixture
def refund(make_entry: MakeEntry) -> Entry:
    return make_entry("退款多久到账？", replies=["亲，三天到账。"])


@pytest.fixture
def console(
    page: Page, live_site: str, agent: User, login: Login, freight: Entry, refund: Entry
) -> Page:
    login(page, agent, live_site)
    return opened(page)


def opened(page: Page) -> Page:
    page.goto("/console/")
    expect(page.locator("html.scripted")).to_be_attached()
    return page


def box(page: Page) -> Any:
    return page.locator("#q")


def find(page: Page, words: str, question: str) -> None:
    with page.expect_response(re.compile("fragment=results")):
        box(page).fill(words)
    expect(page.get_by_role("heading", name=question)).to_be_visible()


def compose(page: Page, selector: str, **key: Any) -> None:
    page.locator(selector).evaluate(COMPOSING, key)


# 公告 --------------------------------------------------------------------------------


def announce(title: str = "大雪停运", **columns: Any) -> Announcement:
    now = timezone.now()
    times = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=1)}
    columns = {
        "title": title,
        "body": "改发 EMS。",
        "keywords": "退货",
        **times,
        **columns,
    }
    return Announcement.objects.create(**columns)


def test_a_notice_is_above_the_results_while_it_runs(console: Page) -> None:
    incident = announce()
    notice = console.get_by_role("region", name="公告")
    find(console, "退货运费", "退货运费谁承担？")
    expect(notice).to_contain_text("大雪停运")
    expect(notice.get_by_text("改发 EMS。")).to_be_hidden()
    notice.locator("summary").press("Enter")
    expect(notice.get_by_text("改发 EMS。")).to_be_visible()
    find(console, "退款多久", "退款多久到账？")
    expect(notice).to_have_count(0)
    Announcement.objects.filter(pk=incident.pk).update(ends_at=timezone.now())
    find(console, "退货运费", "退货运费谁承担？")
    expect(notice).to_have_count(0)


# Alt+N --------------------------------------------------------------------------------


def test_alt_n_records_without_leaving_the_search(console: Page, agent: User) -> None:
    box(console).fill("运费险怎么赔")
    console.keyboard.press("Alt+KeyN")
    dialog = console.get_by_role("dialog", name="没找到，记一条")
    expect(dialog.get_by_label("客户的话")).to_have_value("运费险怎么赔")
    expect(dialog.get_by_label("我的回答")).to_be_focused()
    console.keyboard.type("最高赔 12 元")
    console.keyboard.press("Control+Enter")
    expect(dialog).to_be_hidden()
    expect(console.locator("#status-message")).to_contain_text("已记下")
    expect(box(console)).to_be_focused()
    expect(box(console)).to_have_value("运费险怎么赔")
    question = Question.objects.get()
    assert (question.text, question.answer) == ("运费险怎么赔", "最高赔 12 元")
    assert (question.source, question.recorded_by) == ("console", agent)


def test_a_draft_survives_escape_and_the_query_stays(console: Page) -> None:
    box(console).fill("运费险")
    console.keyboard.press("Alt+KeyN")
    dialog = console.get_by_role("dialog")
    expect(dialog.get_by_label("我的回答")).to_be_focused()
    console.keyboard.type("写到一半")
    console.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(box(console)).to_be_focused()
    expect(box(console)).to_have_value("运费险")
    console.reload()
    expect(console.locator("html.scripted")).to_be_attached()
    console.get_by_role("link", name=re.compile("记一条")).click()
    expect(dialog.get_by_label("我的回答")).to_have_value("写到一半")
    dialog.get_by_role("button", name="清空重写").click()
    expect(dialog.get_by_label("我的回答")).to_have_value("")
    assert not Question.objects.exists()


def test_what_is_refused_stays_in_the_form(console: Page) -> None:
    console.keyboard.press("Alt+KeyN")
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("我的回答").fill("答案在，问题没写")
    console.keyboard.press("Control+Enter")
    expect(dialog).to_contain_text("请写下客户问了什么")
    expect(dialog.get_by_label("我的回答")).to_have_value("答案在，问题没写")
    expect(dialog.get_by_label("客户的话")).to_be_focused()


def test_composing_opens_saves_and_closes_nothing(console: Page) -> None:
    compose(console, "#q", key="n", code="KeyN", alt=True)
    dialog = console.get_by_role("dialog")
    expect(dialog).to_be_hidden()
    box(console).fill("运费险")
    console.keyboard.press("Alt+KeyN")
    expect(dialog.get_by_label("我的回答")).to_be_focused()
    compose(console, "#capture textarea >> nth=0", key="Enter", ctrl=True)
    compose(console, "#capture textarea >> nth=0", key="Escape")
    expect(dialog).to_be_visible()
    assert not Question.objects.exists()


def test_without_a_script_it_is_a_page(
    browser: Any, live_site: str, agent: User, login: Login, freight: Entry
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=live_site)
    page = context.new_page()
    login(page, agent, live_site)
    page.goto("/console/?q=运费险")
    page.get_by_role("link", name=re.compile("记一条")).click()
    expect(page.get_by_label("客户的话")).to_have_value("运费险")
    page.get_by_role("button", name=re.compile("保存")).click()
    expect(page.get_by_text("已记下，还没有回答")).to_be_visible()
    expect(page.locator("#q")).to_have_value("运费险")
    context.close()


# 反馈 -------------------------------------------------------------------------------


def test_feedback_is_sent_from_the_preview(console: Page, freight: Entry) -> None:
    find(console, "退货运费", "退货运费谁承担？")
    console.locator(".reply-feedback summary").press("Enter")
    console.keyboard.press("Tab")  # to the reasons, of which none is chosen
    console.get_by_label("过时").check()
    console.get_by_label(re.compile("补充说明")).fill("规则上月改了")
    compose(console, ".reply-feedback textarea", key="Enter", ctrl=True)
    assert not ReplyFeedback.objects.exists()
    console.get_by_label(re.compile("补充说明")).press("Control+Enter")
    expect(console.locator("#status-message")).to_contain_text("谢谢，编辑会看到")
    expect(box(console)).to_be_focused()
    expect(box(console)).to_have_value("退货运费")
    remark = ReplyFeedback.objects.get()
    assert (remark.entry, remark.reason, remark.query) == (freight, "stale", "退货运费")
    assert (remark.reply, remark.body) == (freight.replies.get(), "亲，运费我们出。")


# 接下来客户常问 ----------------------------------------------------------------------


def test_what_is_asked_next_is_a_key_away_after_a_copy(
    console: Page, freight: Entry, refund: Entry
) -> None:
    FollowUp.objects.create(entry=freight, then=refund)
    find(console, "退货运费", "退货运费谁承担？")
    expect(console.get_by_role("region", name="接下来客户常问")).to_have_count(0)
    console.keyboard.press("Enter")
    following = console.get_by_role("region", name="接下来客户常问")
    expect(following).to_contain_text("退款多久到账？")
    compose(console, "#q", key="ArrowDown", alt=True)
    expect(box(console)).to_be_focused()
    console.keyboard.press("Alt+ArrowDown")
    expect(following.get_by_role("link")).to_be_focused()
    console.keyboard.press("1")
    expect(console.get_by_role("heading", name="退款多久到账？")).to_be_visible()
    expect(box(console)).to_be_focused()
    console.keyboard.press("Enter")
    expect(console.locator("#status-message")).to_contain_text("已复制：退款多久到账？")
    assert console.evaluate("navigator.clipboard.readText()") == "亲，三天到账。"
    expect(box(console)).to_have_value("退货运费")
    for _ in range(50):  # a copy is reported after it happened
        if CopyEvent.objects.count() >= 2:
            break
        console.wait_for_timeout(100)
    assert set(CopyEvent.objects.values_list("entry", flat=True)) == {
        freight.pk,
        refund.pk,
    }


# 新人练习 ----------------------------------------------------------------------------


@pytest.fixture
def asked(freight: Entry, refund: Entry) -> list[Question]:
    made = []
    for entry, text in ((freight, "寄回去的钱谁出呀"), (refund, "钱啥时候退给我")):
        question = intake.record_question(text, answer="当时的回答")
        to_entries.add_question_to_entry(entry, question=question, by=None)
        made.append(question)
    return made


def test_a_trainee_needs_no_mouse(
    console: Page, asked: list[Question], freight: Entry, refund: Entry
) -> None:
    console.goto("/console/practise/")
    expect(console.get_by_text("钱啥时候退给我")).to_be_visible()
    expect(box(console)).to_be_focused()
    console.keyboard.type("tuikuan")
    expect(
        console.get_by_role("button", name=re.compile("退款多久到账"))
    ).to_be_visible()
    for key in ("Enter", "ArrowDown", "Escape"):
        compose(console, "#q", key=key)
    compose(console, "#q", key="1", code="Digit1", alt=True)
    expect(box(console)).to_be_focused()
    assert not PracticeAttempt.objects.exists()
    console.keyboard.press("Enter")
    expect(console.get_by_text("对了，就是这一条")).to_be_visible()
    expect(console.get_by_text("当时的回答")).to_be_visible()
    assert PracticeAttempt.objects.get().right


def test_a_trainee_walks_the_list_and_sees_the_better_one(
    console: Page, asked: list[Question]
) -> None:
    console.goto("/console/practise/")
    expect(box(console)).to_be_focused()
    console.keyboard.press("Alt+Digit0")
    expect(console.get_by_text("先看答案")).to_be_visible()
    console.keyboard.press("Enter")  # the next one
    expect(console.get_by_text("寄回去的钱谁出呀")).to_be_visible()
    box(console).fill("退款")
    expect(
        console.get_by_role("button", name=re.compile("退款多久到账"))
    ).to_be_visible()
    console.keyboard.press("ArrowDown")
    expect(console.get_by_role("button", name=re.compile("退款多久"))).to_be_focused()
    console.keyboard.press("ArrowUp")
    expect(box(console)).to_be_focused()
    console.keyboard.press("Alt+Digit1")
    expect(console.get_by_text("不是这一条")).to_be_visible()
    expect(console.get_by_text("该用这条")).to_be_visible()
    console.keyboard.press("Enter")
    expect(console.get_by_text("现在没有要练的了")).to_be_visible()
    assert [p.right for p in PracticeAttempt.objects.order_by("pk")] == [False, False]


def test_looking_is_a_key_too(console: Page, asked: list[Question]) -> None:
    console.goto("/console/practise/")
    expect(box(console)).to_be_focused()
    console.keyboard.press("Alt+Digit0")
    expect(console.get_by_text("先看答案")).to_be_visible()
    assert PracticeAttempt.objects.get().chosen is None


# Everybody can use it -------------------------------------------------------------------


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in result["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_wrong_and_nothing_is_cut_off(
    console: Page,
    live_site: str,
    asked: list[Question],
    freight: Entry,
    theme: Any,
    width: int,
) -> None:
    page = console
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 760})
    announce(audience="public")
    FollowUp.objects.create(entry=freight, then=Entry.objects.exclude(pk=freight.pk)[0])

    def check(place: str) -> None:
        assert violations(page) == [], place
        cut = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert cut <= 0, place

    opened(page)
    find(page, "退货运费", "退货运费谁承担？")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="接下来客户常问")).to_be_visible()
    page.locator(".reply-feedback summary").click()
    check("console with a notice, what comes next and feedback")
    page.keyboard.press("Alt+KeyN")
    expect(page.get_by_role("dialog")).to_be_visible()
    check("capture")
    for address in (
        "/console/capture/",
        "/console/feedback/",
        "/console/practise/",
        f"/console/practise/?question={asked[0].pk}&q=退货",
        "/console/practise/scores/",
        "/",
        "/search/?q=退货",
    ):
        page.goto(address)
        check(address)
    page.goto("/console/practise/")
    page.keyboard.press("Alt+Digit0")
    expect(page.get_by_text("先看答案")).to_be_visible()
    check("outcome")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_wrong_at_the_desk(
    page: Page, live_site: str, editor: User, login: Login, theme: Any, width: int
) -> None:
    entry = entries.create_draft("退货？", by=None, answer="退。")
    for done in (False, True):
        remark = ReplyFeedback.objects.create(entry=entry, reason="wrong", by=editor)
        if done:
            remark.state, remark.answer = "done", "改好了"
            remark.done_at = timezone.now()
            remark.save()
    login(page, editor, live_site)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 760})
    tabs = page.get_by_role("navigation", name="工作台")
    for address in ("/desk/remarks/", "/desk/remarks/?done=1"):
        page.goto(address)
        assert violations(page) == [], address
        box_of_tabs: Any = tabs.bounding_box()
        assert box_of_tabs["height"] < 80  # one row on a phone
        expect(tabs.locator("[aria-current]")).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
