"""Votes with a reason in a browser, with a script and without one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kb.models import Entry, Vote
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry("退款多久到账？", answer="三天。")


@pytest.fixture
def scriptless(browser: Any, live_site: str) -> Iterator[Page]:
    context = browser.new_context(base_url=live_site, java_script_enabled=False)
    yield context.new_page()
    context.close()


def _says_why(page: Page, entry: Entry) -> None:
    page.goto(f"{entry.get_absolute_url()}?q=退款")
    page.get_by_role("button", name="没帮助").click()
    page.get_by_label("没解决").check()
    page.get_by_label("想补充的").fill("还是没到账")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("转给编辑")).to_be_visible()
    row = Vote.objects.get()
    assert (row.reason, row.note, row.words) == ("unsolved", "还是没到账", "退款")


def test_reason_is_given_on_a_phone_without_leaving_the_page(
    phone: Page, entry: Entry
) -> None:
    _says_why(phone, entry)
    assert "/q/" in phone.url
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_reason_page_without_a_script(scriptless: Page, entry: Entry) -> None:
    _says_why(scriptless, entry)
    assert "/vote/" in scriptless.url
    scriptless.get_by_role("link", name="回到").click()
    expect(scriptless.get_by_role("heading", level=1)).to_have_text("退款多久到账？")


def test_helpful_vote_is_one_click(page: Page, entry: Entry) -> None:
    page.goto(entry.get_absolute_url())
    page.get_by_role("button", name="有帮助").click()
    expect(page.get_by_text("很高兴帮到了您")).to_be_visible()
    assert Vote.objects.get().helpful is True
