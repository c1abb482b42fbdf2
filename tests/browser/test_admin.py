"""The admin in a browser: sizes of links, pictures in answers."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from kb.models import Picture, User
from tests.browser.driving import violations
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]
LINKS = (
    "#user-tools :is(a, button), #models a, #changelist-filter a, "
    ".addlink, .changelink, .object-tools a"
)


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/kb/entry/", "/admin/kb/announcement/add/"]
)
def test_links_are_large_enough_and_labeled(
    phone: Page,
    live_site: str,
    editor: User,
    login: Login,
    make_entry: MakeEntry,
    address: str,
) -> None:
    make_entry("退货运费谁承担？")
    login(phone, editor, live_site)
    phone.goto(address)
    small = """els => els
        .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 24)
        .map(e => e.outerHTML.slice(0, 80))"""
    assert phone.locator(LINKS).count() > 5
    assert phone.locator(LINKS).evaluate_all(small) == []
    assert violations(phone) == []


def _picture() -> str:
    buffer = BytesIO()
    Image.new("RGB", (60, 40), (20, 90, 60)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


HAND_OVER = """([kind, body]) => {
    const bytes = Uint8Array.from(atob(body), c => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], 'a.png', { type: 'image/png' }));
    const answer = document.querySelector('[name=answer]');
    const options = { bubbles: true, cancelable: true };
    answer.dispatchEvent(kind === 'paste'
        ? new ClipboardEvent('paste', { ...options, clipboardData: transfer })
        : new DragEvent('drop', { ...options, dataTransfer: transfer }));
}"""


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_picture_is_inserted_into_a_step(
    page: Page,
    live_site: str,
    editor: User,
    login: Login,
    make_entry: MakeEntry,
    kind: str,
) -> None:
    entry = make_entry(answer="1. 打开订单\n2. 点退款")
    login(page, editor, live_site)
    page.goto(f"/admin/kb/entry/{entry.pk}/change/")
    answer = page.locator("[name=answer]")
    answer.evaluate("e => e.setSelectionRange(7, 7)")
    page.evaluate(HAND_OVER, [kind, _picture()])
    alt = page.get_by_label("替代文字（必填）")
    expect(alt).to_be_focused()
    page.keyboard.press("Enter")  # nothing without words
    expect(alt).to_be_visible()
    alt.fill("订单页")
    page.keyboard.press("Enter")
    expect(page.locator("#picture-dialog")).to_be_hidden()
    picture = Picture.objects.get()
    assert answer.input_value() == (
        f"1. 打开订单\n   ![订单页]({picture.url})\n2. 点退款"
    )
    page.locator("[name=_continue]").click()
    page.goto(entry.get_absolute_url())
    image = page.get_by_alt_text("订单页")
    expect(image).to_be_visible()
    assert image.evaluate("e => e.complete && e.naturalWidth") == 60


def test_refused_picture_shows_the_reason_in_the_dialog(
    page: Page, live_site: str, editor: User, login: Login, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    login(page, editor, live_site)
    page.goto(f"/admin/kb/entry/{entry.pk}/change/")
    page.evaluate(HAND_OVER, ["drop", base64.b64encode(b"nothing").decode()])
    page.get_by_label("替代文字（必填）").fill("坏图")
    page.get_by_role("button", name="插入", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("打不开")
    page.get_by_role("button", name="取消").click()
    assert page.locator("[name=answer]").input_value() == entry.answer
