"""The preview panel of the vocabulary in a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from kb.models import SynonymSet, User
from tests.browser.driving import violations
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_panel_previews_a_synonym_while_typing(
    page: Page,
    live_site: str,
    editor: User,
    login: Callable[..., None],
    make_entry: MakeEntry,
) -> None:
    make_entry("无法登录怎么解决")
    login(page, editor, live_site)
    page.goto("/admin/kb/synonymset/add/")
    words = page.get_by_label("客户会说的话")
    words.fill("上不去号")
    panel = page.locator("#panel")
    expect(panel.get_by_role("heading", name="现在")).to_be_visible()
    page.locator("[name=members]").fill("上不去号\n无法登录")
    then = panel.locator("section", has=page.get_by_role("heading", name="保存以后"))
    expect(then.get_by_role("link")).to_have_text("无法登录怎么解决")
    expect(then).to_contain_text("上不去号 → 无法登录")
    words.press("Enter")  # tries, and does not save
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert [v for v in violations(page) if "panel" in v or "tried" in v] == []
    assert not SynonymSet.objects.exists()
