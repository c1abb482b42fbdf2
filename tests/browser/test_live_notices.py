"""Open pages show new and ended notices without a reload."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from kb.models import Announcement, User
from tests.browser.driving import box, find, opened, violations
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]


def announce(title: str, keywords: str = "") -> Announcement:
    now = timezone.now()
    incident = Announcement(
        title=title,
        keywords=keywords,
        starts_at=now - timedelta(minutes=1),
        ends_at=now + timedelta(hours=2),
    )
    incident.full_clean()
    incident.save()
    return incident


def wait_for_first_poll(page: Page) -> None:
    """Wait until the poll of a page that was opened has ended.

    A clock that is moved on meanwhile would time it out.
    """
    page.wait_for_load_state("networkidle")


def wait_half_a_minute(page: Page) -> None:
    with page.expect_response("**/console/notices/**"):
        page.clock.fast_forward("00:30")


def test_an_open_console_learns_of_a_notice_and_of_its_end(
    page: Page, live_site: str, agent: User, login: Login, make_entry: MakeEntry
) -> None:
    make_entry("电子发票怎么开？", replies=["请点“开发票”。"])
    login(page, agent, live_site)
    page.clock.install()
    opened(page)
    wait_for_first_poll(page)
    find(page, "发票", "电子发票怎么开？")
    incident = announce("华东仓停电，今天不发货", "发货 物流")
    wait_half_a_minute(page)
    notice = page.locator("#live-notices").get_by_text("华东仓停电")
    expect(notice).to_be_visible()  # although it does not match the search
    status = page.locator("#live-notices-status")
    expect(status).to_have_text("新公告：华东仓停电，今天不发货")
    assert violations(page) == []
    page.get_by_role("button", name="知道了").click()
    expect(notice).to_be_hidden()
    wait_half_a_minute(page)
    expect(notice).to_be_hidden()
    box(page).fill("发货")
    expect(page.locator(".results-pane > .notices")).to_contain_text("华东仓停电")
    Announcement.objects.filter(pk=incident.pk).update(ends_at=timezone.now())
    wait_half_a_minute(page)
    expect(page.locator(".results-pane > .notices")).to_have_count(0)
    expect(status).to_have_text("公告已结束：华东仓停电，今天不发货")


def test_what_is_read_stays_open(
    page: Page, live_site: str, agent: User, login: Login
) -> None:
    announce("顺丰停运")
    login(page, agent, live_site)
    page.clock.install()
    opened(page)
    wait_for_first_poll(page)
    notice = page.locator(".results-pane > .notices details")
    notice.locator("summary").click()
    announce("系统维护")
    wait_half_a_minute(page)
    expect(notice).to_have_count(2)
    expect(notice.filter(has_text="顺丰停运")).to_have_attribute("open", "")


def test_a_page_of_the_desk_learns_too(
    page: Page, live_site: str, agent: User, login: Login
) -> None:
    login(page, agent, live_site)
    page.clock.install()
    page.goto("/desk/asked/")
    wait_for_first_poll(page)
    incident = announce("华东仓停电")
    wait_half_a_minute(page)
    expect(page.locator("#live-notices")).to_contain_text("华东仓停电")
    assert violations(page) == []
    Announcement.objects.filter(pk=incident.pk).update(ends_at=timezone.now())
    wait_half_a_minute(page)
    expect(page.locator("#live-notices details")).to_have_count(0)


def test_a_signed_out_user_is_not_disturbed(
    page: Page, live_site: str, agent: User, login: Login
) -> None:
    login(page, agent, live_site)
    page.clock.install()
    opened(page)
    wait_for_first_poll(page)
    page.context.clear_cookies()
    wait_half_a_minute(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
