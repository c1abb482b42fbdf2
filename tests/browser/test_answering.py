"""Answering in a browser: no text is lost, an answer can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect

from kb.models import (
    ROLE_AGENT,
    AnswerDraft,
    AnswerVersion,
    Entry,
    Inquiry,
    Question,
    User,
)
from kb.questions import answers, inquiries, triage
from tests.browser.hosting import violations
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FITS = "document.documentElement.scrollWidth <= innerWidth"
TYPED = "请把面单照片发给我们"


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry("快递显示签收但没收到怎么办？", "先问门卫。")


@pytest.fixture
def inquiry(entry: Entry) -> Inquiry:
    submitted = inquiries.SubmittedInquiry(
        form_key="k", origin="https://x.example", contact="a@b.co"
    )
    return inquiries.submit_inquiry("快递显示签收了，可是没收到", details=submitted)


@pytest.fixture
def other(make_user: Callable[..., User]) -> User:
    return make_user("other", ROLE_AGENT, name="小茶")


@pytest.fixture
def scriptless(browser: Any, live_site: str) -> Iterator[Page]:
    size = {"width": 360, "height": 740}
    context = browser.new_context(
        base_url=live_site, java_script_enabled=False, viewport=size
    )
    yield context.new_page()
    context.close()


def let_time_pass() -> None:
    """Do as if the ten seconds were over."""
    AnswerVersion.objects.update(visible_from=timezone.now())


def box(page: Page) -> Any:
    return page.get_by_role("textbox", name="回复", exact=True)


def _sends(page: Page, inquiry: Inquiry) -> None:
    """Fill in an entry, edit, send, take back and send again."""
    page.goto("/desk/asked/")
    page.get_by_role("button", name="的答案填进框里").click()
    expect(box(page)).to_have_value("先问门卫。")
    assert Question.objects.get().status == Question.Status.OPEN
    box(page).fill("亲，先问门卫。")
    page.get_by_role("button", name="回复", exact=True).click()
    expect(page.get_by_text("10 秒后看到")).to_be_visible()
    page.goto(f"/q/{inquiry.token}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("已收到")
    AnswerVersion.objects.update(
        visible_from=timezone.now() + answers.RECALL_PERIOD * 6
    )
    page.goto("/desk/asked/")
    page.get_by_role("button", name="撤回").click()
    expect(box(page)).to_have_value("亲，先问门卫。")
    page.get_by_role("button", name="回复", exact=True).click()
    expect(page.get_by_text("10 秒后看到")).to_be_visible()
    let_time_pass()
    page.goto(f"/q/{inquiry.token}/")
    expect(page.get_by_text("亲，先问门卫。")).to_be_visible()
    expect(page.get_by_text("已更正")).to_have_count(0)


def _corrects(page: Page, inquiry: Inquiry) -> None:
    page.goto("/desk/answered/")
    page.get_by_role("link", name="查看、更正").click()
    page.get_by_role("textbox", name="更正").fill(TYPED)
    page.get_by_role("button", name="作为更正发出").click()
    expect(page.get_by_role("heading", name="版本")).to_be_visible()
    let_time_pass()
    page.goto(f"/q/{inquiry.token}/")
    expect(page.get_by_text(TYPED)).to_be_visible()
    expect(page.get_by_text("已更正")).to_be_visible()


@pytest.mark.parametrize("size", ["page", "phone"])
def test_agent_fills_sends_takes_back_and_corrects_an_answer(
    request: Any, size: str, inquiry: Inquiry, agent: User, login: Any, live_site: str
) -> None:
    page: Page = request.getfixturevalue(size)
    login(page, agent, live_site)
    _sends(page, inquiry)
    _corrects(page, inquiry)
    assert page.evaluate(FITS)
    assert violations(page) == []
    for url in ("/desk/asked/", "/desk/answered/", "/desk/recorded/", "/desk/ratings/"):
        page.goto(url)
        assert page.evaluate(FITS), url
        assert violations(page) == [], url
    page.goto(f"/desk/answered/{inquiry.question_id}/")
    assert page.evaluate(FITS)
    assert violations(page) == []


def test_answering_works_without_a_script(
    scriptless: Page, inquiry: Inquiry, agent: User, login: Any, live_site: str
) -> None:
    login(scriptless, agent, live_site)
    _sends(scriptless, inquiry)
    _corrects(scriptless, inquiry)


def test_recall_ends_after_the_countdown(
    page: Page, inquiry: Inquiry, agent: User, login: Any, live_site: str
) -> None:
    login(page, agent, live_site)
    page.clock.install()
    page.goto("/desk/asked/")
    box(page).fill(TYPED)
    page.get_by_role("button", name="回复", exact=True).click()
    expect(page.get_by_role("button", name="撤回")).to_be_visible()
    page.clock.run_for(11_000)
    expect(page.get_by_role("button", name="撤回")).to_have_count(0)
    expect(page.get_by_text("不能再撤回")).to_be_visible()


@pytest.fixture
def colleague(phone: Page, other: User, login: Any, live_site: str) -> Page:
    """Return the phone of a second agent."""
    login(phone, other, live_site)
    return phone


def test_two_agents_see_each_other_and_keep_both_texts(
    page: Page,
    colleague: Page,
    inquiry: Inquiry,
    agent: User,
    login: Any,
    live_site: str,
) -> None:
    login(page, agent, live_site)
    phone = colleague
    phone.goto("/desk/asked/")
    with phone.expect_response("**/presence/"):
        box(phone).fill("小茶写的")
    page.goto(f"/desk/asked/?question={inquiry.question_id}")
    expect(page.get_by_text("小茶 正在回复这个问题")).to_be_visible()
    assert violations(page) == []
    box(page).fill(TYPED)
    page.get_by_role("button", name="回复", exact=True).click()
    expect(page.get_by_text("10 秒后看到")).to_be_visible()
    box(phone).press_sequentially("，再加一句")
    expect(phone.get_by_text("agent 已经处理了这个问题")).to_be_visible()
    phone.get_by_role("button", name="回复", exact=True).click()
    expect(phone.get_by_text("agent先回复了这个问题")).to_be_visible()
    expect(phone.get_by_label("您写的")).to_have_value("小茶写的，再加一句")
    expect(phone.get_by_text(TYPED)).to_be_visible()
    assert phone.evaluate(FITS)
    assert violations(phone) == []


def test_draft_is_autosaved_and_shown_on_another_machine(
    page: Page, phone: Page, inquiry: Inquiry, agent: User, login: Any, live_site: str
) -> None:
    login(page, agent, live_site)
    page.goto("/desk/asked/")
    box(page).fill(TYPED)
    expect(page.get_by_text("已暂存")).to_be_visible()
    login(phone, agent, live_site)
    phone.goto("/desk/asked/")
    expect(box(phone)).to_have_value(TYPED)
    expect(phone.get_by_text("上次写的")).to_be_visible()


def test_expired_session_is_renewed_in_place(
    page: Page, inquiry: Inquiry, agent: User, login: Any, live_site: str
) -> None:
    login(page, agent, live_site)
    page.goto("/desk/asked/")
    box(page).fill(TYPED)
    expect(page.get_by_text("已暂存")).to_be_visible()
    Session.objects.all().delete()
    box(page).fill(f"{TYPED}。")
    expect(page.get_by_text("登录过期了")).to_be_visible()
    page.get_by_role("button", name="回复", exact=True).click()
    page.get_by_role("dialog").get_by_label("密码").fill("一壶好茶 2026")
    page.get_by_role("dialog").get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_text("10 秒后看到")).to_be_visible()
    assert Question.objects.get().answer == f"{TYPED}。"


def test_expired_session_keeps_the_text_without_a_script(
    scriptless: Page, inquiry: Inquiry, agent: User, login: Any, live_site: str
) -> None:
    login(scriptless, agent, live_site)
    scriptless.goto("/desk/asked/")
    box(scriptless).fill(TYPED)
    Session.objects.all().delete()
    scriptless.get_by_role("button", name="回复", exact=True).click()
    expect(scriptless.get_by_text("您写的回复没有丢")).to_be_visible()
    scriptless.get_by_label("用户名").fill("agent")
    scriptless.get_by_label("密码").fill("一壶好茶 2026")
    scriptless.get_by_role("button", name="登录").click()
    expect(box(scriptless)).to_have_value(TYPED)


def test_agent_who_leaves_is_not_listed_as_present(
    page: Page, inquiry: Inquiry, agent: User, other: User, login: Any, live_site: str
) -> None:
    login(page, agent, live_site)
    with page.expect_response("**/presence/"):
        page.goto("/desk/asked/")
    assert answers.list_others_answering([inquiry.question], user=other)
    page.goto("/desk/answered/")
    for _ in range(100):  # until the beacon has arrived
        if not AnswerDraft.objects.exclude(present_until=None).exists():
            return
        page.wait_for_timeout(50)
    pytest.fail("the agent is still named")


def test_keys_move_through_the_questions(
    page: Page, inquiry: Inquiry, agent: User, login: Any, live_site: str
) -> None:
    submitted = inquiries.SubmittedInquiry(form_key="k2", origin="https://x.example")
    inquiries.submit_inquiry("第二个问题", details=submitted)
    login(page, agent, live_site)
    page.goto("/desk/asked/")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text("第二个问题")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_contain_text("快递")
    page.keyboard.press("1")
    expect(box(page)).to_have_value("先问门卫。")
    expect(box(page)).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("10 秒后看到")).to_be_visible()
    page.keyboard.press("u")
    expect(box(page)).to_have_value("先问门卫。")


def test_low_rating_is_marked_as_handled(
    page: Page, inquiry: Inquiry, agent: User, login: Any, live_site: str
) -> None:
    triage.answer_question(inquiry.question, answer="等等", by=agent)
    rated = Inquiry.objects.select_related("question").get()
    inquiries.rate_inquiry(rated, score=1, comment="没用")
    login(page, agent, live_site)
    page.goto("/desk/ratings/")
    expect(page.get_by_text("“没用”")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("y")
    expect(page.get_by_text("没有待处理的低分评价")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_text("“没用”")).to_be_visible()
