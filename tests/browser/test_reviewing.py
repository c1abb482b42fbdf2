"""Review and history in a browser: by keyboard and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kb.library import entries
from kb.models import ROLE_WRITER, Entry, Review, User
from tests.browser.driving import violations
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]


@pytest.fixture
def writer(make_user: Callable[..., User]) -> User:
    return make_user("writer", ROLE_WRITER, is_staff=True, name="小写")


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry(
        "退货运费谁承担？", answer="运费八元。", replies=["亲，运费八元。"]
    )


def test_change_is_reviewed_and_published(
    page: Page,
    live_site: str,
    login: Login,
    writer: User,
    lead: User,
    entry: Entry,
) -> None:
    login(page, writer, live_site)
    page.goto(f"/admin/kb/entry/{entry.pk}/change/")
    expect(page.get_by_text("您的修改先提交审核")).to_be_visible()
    page.locator("#id_answer").fill("运费十元。")
    page.locator("#id_note").fill("快递涨价")
    page.locator("input[name=_save]").click()
    expect(page.get_by_text("已提交审核。通过以前")).to_be_visible()
    expect(page.locator(".compared ins")).to_have_text("十")
    page.goto(entry.get_absolute_url())
    expect(page.get_by_text("运费八元。")).to_be_visible()

    page.context.clear_cookies()
    login(page, lead, live_site)
    page.goto("/desk/reviews/")
    expect(page.get_by_text("快递涨价")).to_be_visible()
    expect(page.locator("#keys")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("a")
    expect(page.get_by_text("已通过")).to_be_visible()
    page.goto(entry.get_absolute_url())
    expect(page.get_by_text("运费十元。")).to_be_visible()


def test_reviewer_returns_a_change_by_keyboard(
    page: Page, live_site: str, login: Login, writer: User, lead: User, entry: Entry
) -> None:
    for number in range(2):
        draft = entries.create_draft(f"第{number}条？", by=writer, answer="答案。")
        entries.submit_entry(draft, by=writer)
    login(page, lead, live_site)
    page.goto("/desk/reviews/")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("h1")).to_have_text("第1条？")
    page.keyboard.press("r")
    page.keyboard.type("缺价格")
    page.keyboard.press("Enter")
    expect(page.get_by_text("已退回「第1条？」")).to_be_visible()
    expect(page.locator("h1")).to_have_text("第0条？")
    assert Review.objects.get(state="returned").reason == "缺价格"


def test_old_version_is_restored_on_a_phone(
    phone: Page, live_site: str, login: Login, lead: User, entry: Entry
) -> None:
    entries.update_entry(entry, by=lead, based_on=entry.version, answer="运费十元。")
    login(phone, lead, live_site)
    phone.goto(f"/desk/history/{entry.pk}/")
    expect(phone.locator(".compared ins")).to_have_text("十")
    wide: Any = phone.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide
    assert violations(phone) == []
    phone.get_by_role("link", name="新建").click()
    phone.get_by_role("link", name="和现在比").click()
    phone.get_by_label("修改说明").fill("涨价取消")
    phone.get_by_role("button", name="恢复到这一版").click()
    expect(phone.get_by_text("已恢复到第 1 版")).to_be_visible()
    entry.refresh_from_db()
    assert entry.answer == "运费八元。"
