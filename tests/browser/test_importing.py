"""The preview of an import on a phone and by keyboard alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kb.language import style_rules
from kb.models import Entry, User
from tests.browser.driving import violations
from tests.conftest import MakeEntry
from tests.importing import load

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]
FILE = (
    "编号,问题,答案,相似问法\n"
    "1,怎么办理退学,到教务处,\n"
    "2,有停车场吗,有，两个,\n"
    "3,退款要多久到账？,五天,\n"
    "4,怎么补办校园卡,到后勤处，这是最好的办法,电话13800138000补办\n"
)


@pytest.fixture(autouse=True)
def _library(make_entry: MakeEntry) -> None:
    style_rules.load_starter_rules()
    load(
        "编号,问题,答案\n1,景区几点关门,18 点\n2,有停车场吗,有\n",
        source="faq",
    )
    make_entry("退款多久能到账", answer="三天")


def upload(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_text(FILE)
    page.goto("/admin/import/")
    page.get_by_label("文件").set_input_files(path)
    page.get_by_role("button", name="看看会怎样").click()
    expect(page.get_by_role("heading", name="换成了另一个问题")).to_be_visible()


@pytest.mark.parametrize("size", ["phone", "page"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_preview_fits_the_screen_and_is_accessible(  # noqa: PLR0913, PLR0917
    request: Any,
    live_site: str,
    editor: User,
    login: Login,
    tmp_path: Path,
    size: str,
    scheme: Any,
) -> None:
    screen: Page = request.getfixturevalue(size)
    screen.emulate_media(color_scheme=scheme)
    login(screen, editor, live_site)
    upload(screen, tmp_path)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert screen.evaluate(wide) <= 0
    assert violations(screen) == []
    if folder := os.environ.get("SHOTS"):
        screen.screenshot(path=f"{folder}/{size}-{scheme}.png", full_page=True)


def test_decisions_work_by_keyboard(
    page: Page, live_site: str, editor: User, login: Login, tmp_path: Path
) -> None:
    login(page, editor, live_site)
    upload(page, tmp_path)
    expect(page.get_by_text("相似问法里有手机号「13800138000」")).to_be_visible()
    page.get_by_label("第 2 行确认换成另一个问题").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.get_by_label("这 1 行也导入，马上生效")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.get_by_label("没有单独选的")).to_be_focused()
    page.get_by_label("第 4 行", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="按上面的选择导入").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("导入完成")).to_be_visible()
    live = Entry.objects.filter(status="published").order_by("pk")
    texts = live.values_list("question", "answer")
    assert ("景区几点关门", "18 点") not in texts
    assert ("有停车场吗", "有，两个") in texts
    assert Entry.objects.get(question="怎么办理退学").status == "draft"
    assert Entry.objects.get(question="退款要多久到账？").status == "draft"
    assert not Entry.objects.filter(question="怎么补办校园卡").exists()
