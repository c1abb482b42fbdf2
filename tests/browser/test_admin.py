"""An editor in the admin: what is to be hit can be hit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from kb.models import User
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]
LINKS = (
    "#user-tools :is(a, button), #models a, #changelist-filter a, "
    ".addlink, .changelink, .object-tools a"
)


@pytest.mark.parametrize("address", ["/admin/", "/admin/kb/entry/"])
def test_every_link_is_high_enough_for_a_thumb(
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
