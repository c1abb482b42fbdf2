"""A key never publishes personal data at once: it opens the phrasing to review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kb import usage
from kb.models import Entry, Pick, Question, SearchGap, SearchSide, User
from kb.text.chinese import normalize
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TEXT = "我叫张伟,电话13812345678,退款没到账"


@pytest.fixture
def desk(
    page: Page,
    live_site: str,
    editor: User,
    login: Callable[..., None],
    make_entry: MakeEntry,
    make_question: MakeQuestion,
) -> Page:
    entry = make_entry("退款多久到账？", "三天。")
    make_question(TEXT)
    SearchGap.objects.create(words="李雷13987654321退款没到账", side=SearchSide.PUBLIC)
    for person in "abc":
        words = "客服小林退款没到账"
        key: Any = normalize.compute_spelling_key(words)
        row = Pick(entry=entry, side=SearchSide.PUBLIC, person=person, kind="copied")
        row.words, row.words_key = words, key
        row.save()
    usage.refresh_evidence()
    login(page, editor, live_site)
    return page


def texts() -> list[str]:
    entry = Entry.objects.get(question="退款多久到账？")
    return list(entry.phrasings.values_list("text", flat=True))


def test_digit_opens_the_phrasing_and_enter_merges(desk: Page) -> None:
    desk.goto("/desk/inbox/")
    expect(desk.locator("#keys")).to_be_visible()
    desk.keyboard.press("1")
    box = desk.get_by_label("并入时保留的问法")
    expect(box).to_be_focused()
    expect(box).to_have_value("退款没到账")
    expect(desk.locator("[data-review-hint]").first).to_have_text(
        "改好后按 Enter 收下。"
    )
    assert texts() == []
    box.fill("我叫张伟，退款没到账")
    box.press("Enter")
    expect(desk.locator(".side-column [role=alert]")).to_contain_text("姓名「张伟」")
    expect(box).to_have_value("我叫张伟，退款没到账")
    assert Question.objects.awaiting_triage().count() == 1
    box.fill("退款还没到账")
    desk.get_by_role("button", name="并入「退款多久到账？」").click()
    box.press("Enter")
    expect(desk.locator(".message")).to_contain_text("已并入")
    assert texts() == ["退款还没到账"]


def test_digit_of_a_gap_opens_the_phrasing(desk: Page) -> None:
    desk.goto(f"/desk/gaps/?gap={SearchGap.objects.get().pk}")
    expect(desk.locator("#keys")).to_be_visible()
    desk.keyboard.press("1")
    box = desk.get_by_label("加为问法的话")
    expect(box).to_be_focused()
    assert texts() == []
    box.press("Enter")
    expect(desk.locator(".message")).to_contain_text("「退款没到账」已收为")
    assert texts() == ["退款没到账"]


def test_y_opens_a_proposed_phrasing(desk: Page) -> None:
    desk.goto("/desk/phrasings/")
    expect(desk.locator("#keys")).to_be_visible()
    desk.keyboard.press("y")
    box = desk.get_by_label("相似问法", exact=True)
    expect(box).to_be_focused()
    box.fill("退款没有到账")
    box.press("Enter")
    expect(desk.locator(".message")).to_contain_text("已收为")
    assert texts() == ["退款没有到账"]
