"""Own replies, customer segments and expired entries, by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from kb import usage
from kb.library import replies
from kb.models import CopyEvent, CustomerSegment, Entry, Reply, Team, User
from tests.browser.driving import (
    box,
    chosen,
    clipboard,
    empty_clipboard,
    find,
    opened,
    said,
    violations,
)
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]


@pytest.fixture
def vip() -> CustomerSegment:
    return CustomerSegment.objects.create(name="高净值")


@pytest.fixture
def entry(make_entry: MakeEntry, vip: CustomerSegment) -> Entry:
    made = make_entry("退款多久到账？", replies=["一般三天到账。"])
    Reply.objects.create(
        entry=made, label="尊享", body="今天就到账。", segment=vip, order=5
    )
    return made


@pytest.fixture
def console(
    page: Page, live_site: str, agent: User, login: Login, entry: Entry
) -> Page:
    login(page, agent, live_site)
    return opened(page)


def keep(user: User, title: str, body: str, **more: Any) -> Reply:
    return replies.save_private_reply(
        Reply(owner=user, title=title, body=body, **more), by=user
    )


def test_mine_is_copied_with_enter_like_any_other(console: Page, agent: User) -> None:
    keep(agent, "催派送", "亲，催过 {{快递公司=顺丰}} 了", keywords="cps")
    find(console, "cps", "催派送")
    console.keyboard.press("Enter")
    expect(said(console)).to_have_text("已复制：催派送 · 标准")
    assert clipboard(console) == "亲，催过 顺丰 了"


def test_the_keyboard_goes_from_mine_to_what_was_found(
    console: Page, agent: User
) -> None:
    own = keep(agent, "退款多久到账", "我的说法")
    find(console, "退款多久到账", "退款多久到账")
    expect(chosen(console)).to_have_attribute("data-entry", f"r{own.pk}")
    console.keyboard.press("ArrowDown")
    expect(console.get_by_role("heading", name="退款多久到账？")).to_be_visible()
    console.keyboard.press("Alt+2")
    expect(said(console)).to_contain_text("已复制：退款多久到账？")
    assert clipboard(console) == "一般三天到账。"


def test_alt_m_makes_a_shown_reply_mine_to_be_changed(
    console: Page, agent: User
) -> None:
    find(console, "退款多久", "退款多久到账？")
    console.keyboard.press("Alt+m")
    expect(console.get_by_role("heading", name="改一条话术")).to_be_visible()
    console.get_by_label("话术", exact=True).fill("我改过的说法。")
    console.get_by_role("button", name="保存").click()
    expect(console.get_by_text("已保存")).to_be_visible()
    opened(console)
    find(console, "退款多久", "退款多久到账？")
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制")
    assert clipboard(console) == "我改过的说法。"


def test_the_kind_of_customer_stays_until_the_next_customer(console: Page) -> None:
    find(console, "退款多久", "退款多久到账？")
    tabs = console.get_by_role("tab")
    expect(tabs.first).to_contain_text("标准")
    console.get_by_label("客户类型").select_option(label="高净值")
    expect(tabs.first).to_contain_text("尊享")
    find(console, "到账", "退款多久到账？")
    expect(tabs.first).to_contain_text("尊享")
    box(console).focus()
    console.keyboard.press("Enter")
    expect(said(console)).to_contain_text("已复制")
    assert clipboard(console) == "今天就到账。"
    opened(console)  # another page of the same tab knows the customer
    expect(console.get_by_label("客户类型")).to_have_value(
        str(CustomerSegment.objects.get().pk)
    )
    box(console).focus()
    console.keyboard.press("Escape")
    console.keyboard.press("Escape")
    expect(console.get_by_label("客户类型")).to_have_value("")
    find(console, "退款多久", "退款多久到账？")
    expect(tabs.first).to_contain_text("标准")


def test_what_has_ended_is_not_copied_and_enter_says_why(
    console: Page, make_entry: MakeEntry
) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    make_entry("年货节满减规则", replies=["满 200 减 30"], valid_until=yesterday)
    empty_clipboard(console)
    find(console, "年货节", "年货节满减规则")
    expect(console.get_by_role("button", name="复制 Enter")).to_be_disabled()
    for key in ("Enter", "Alt+1", "Alt+="):
        console.keyboard.press(key)
        expect(said(console)).to_contain_text("已过期，不能复制")
    assert clipboard(console) == "nothing"
    assert not CopyEvent.objects.exists()


@pytest.mark.parametrize(
    "seen", [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")], ids=str
)
def test_axe_finds_nothing_wrong(
    seen: tuple[int, Any],
    browser: Browser,
    live_site: str,
    lead: User,
    login: Login,
    entry: Entry,
) -> None:
    lead.team = Team.objects.create(name="售后组")
    lead.save()
    lead = User.objects.get(pk=lead.pk)
    own = keep(lead, "催派送", "亲，催过了", keywords="cps")
    replies.propose_reply(own, by=lead)
    replies.save_private_reply(
        Reply(team=lead.team, title="团队的话", body="亲"), by=lead
    )
    shared = entry.replies.shared().first()
    assert shared is not None
    usage.record_copy(entry, by=lead, reply=shared, kind=CopyEvent.Kind.REPLY)
    shared.body = "一般五天到账。"
    shared.save()
    width, scheme = seen
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        base_url=live_site,
        locale="zh-CN",
    )
    page = context.new_page()
    login(page, lead, live_site)
    opened(page, "/console/?q=cps")
    assert violations(page) == []
    opened(page, f"/console/?entry={entry.pk}")
    page.get_by_text("你上次用后改过").first.click()
    assert violations(page) == []
    for address in (
        "/console/mine/",
        "/console/mine/new/",
        f"/console/mine/{own.pk}/",
        "/desk/proposals/",
    ):
        page.goto(address)
        assert violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") == width, address
    context.close()
