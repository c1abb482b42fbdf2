"""Drafts in the browser survive the end of a session; other users never see them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from kb.library import replies
from kb.models import ROLE_AGENT, Reply, User
from tests.browser.driving import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Login = Callable[..., None]
PASSWORD = "一壶好茶 2026"
NEW = "/console/mine/new/"


@pytest.fixture
def writing(page: Page, live_site: str, agent: User, login: Login) -> Page:
    """Return a page on which an agent has typed a reply and not saved it."""
    login(page, agent, live_site)
    page.goto(NEW)
    type_reply(page)
    return page


def type_reply(page: Page) -> None:
    page.get_by_label("标题").fill("催派送")
    page.get_by_label("话术", exact=True).fill("亲，已经帮您催了\n请再等一天")


def end_sessions() -> None:
    Session.objects.all().delete()


def sign_in(page: Page, password: str = PASSWORD) -> None:
    dialog = page.get_by_role("dialog", name="登录已过期")
    expect(dialog.get_by_label("密码")).to_be_focused()
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def expect_typed(page: Page) -> None:
    expect(page.get_by_label("标题")).to_have_value("催派送")
    body = page.get_by_label("话术", exact=True)
    expect(body).to_have_value("亲，已经帮您催了\n请再等一天")


def drafts(page: Page) -> int:
    keys = "Object.keys(localStorage).filter(key => key.startsWith('kb-draft')).length"
    return int(page.evaluate(keys))


def test_login_in_place_saves_the_form(writing: Page, agent: User) -> None:
    end_sessions()
    writing.get_by_role("button", name="保存").click()
    expect(writing.get_by_label("用户名")).to_have_value(agent.username)
    assert violations(writing) == []
    sign_in(writing, "wrong")
    expect(writing.get_by_role("alert")).to_contain_text("用户名或密码不对")
    writing.keyboard.type(PASSWORD)
    writing.keyboard.press("Enter")
    expect(writing.get_by_text("已保存「催派送」")).to_be_visible()
    assert "请再等一天" in Reply.objects.get(owner=agent).body
    assert drafts(writing) == 0
    writing.goto(NEW)
    expect(writing.get_by_role("button", name="恢复")).to_have_count(0)


def test_without_login_nothing_is_sent_or_lost(writing: Page) -> None:
    end_sessions()
    writing.get_by_role("button", name="保存").click()
    writing.get_by_role("button", name="先不登录").click()
    expect(writing.get_by_text("还没有登录，没有提交")).to_be_visible()
    expect_typed(writing)
    assert not Reply.objects.exists()


def test_text_is_offered_again_after_the_login_page(writing: Page, agent: User) -> None:
    end_sessions()
    writing.goto(NEW)  # leads to the login page
    writing.get_by_label("用户名").fill(agent.username)
    writing.get_by_label("密码").fill(PASSWORD)
    writing.get_by_role("button", name="登录").click()
    expect(writing.get_by_text("写的内容没有保存：“亲，已经帮您催了")).to_be_visible()
    expect(writing.get_by_label("标题")).to_have_value("")
    writing.get_by_role("button", name="丢弃").click()
    writing.get_by_role("button", name="撤销").click()
    assert violations(writing) == []
    writing.get_by_role("button", name="恢复").click()
    expect_typed(writing)
    writing.get_by_role("button", name="撤销").click()
    expect(writing.get_by_label("标题")).to_have_value("")
    writing.get_by_role("button", name="恢复").click()
    writing.get_by_role("button", name="保存").click()
    expect(writing.get_by_text("已保存「催派送」")).to_be_visible()
    assert drafts(writing) == 0


def test_refused_form_keeps_its_draft(writing: Page, agent: User) -> None:
    writing.get_by_label("标题").fill("")
    writing.get_by_role("button", name="保存").click()
    expect(writing.locator(".field.bad")).to_have_count(1)
    expect(writing.get_by_role("button", name="恢复")).to_have_count(0)
    assert drafts(writing) == 1
    writing.goto("/console/settings/")
    writing.goto(NEW)
    writing.get_by_role("button", name="恢复").click()
    body = writing.get_by_label("话术", exact=True)
    expect(body).to_have_value("亲，已经帮您催了\n请再等一天")


def test_another_user_of_the_browser_sees_no_draft(
    writing: Page, agent: User, make_user: Callable[..., User]
) -> None:
    make_user("other", ROLE_AGENT)
    end_sessions()
    writing.get_by_role("button", name="保存").click()
    writing.get_by_label("用户名").fill("other")
    writing.get_by_label("密码").fill(PASSWORD)
    with writing.expect_navigation():  # the page is the other person's now
        writing.keyboard.press("Enter")
    expect(writing.get_by_label("标题")).to_have_value("")
    expect(writing.get_by_role("button", name="恢复")).to_have_count(0)
    assert "催派送" not in writing.content()
    assert not Reply.objects.exists()


def test_logout_clears_the_browser(
    writing: Page, live_site: str, agent: User, login: Login
) -> None:
    other = writing.context.new_page()
    other.goto(NEW)
    other.get_by_label("标题").fill("另一个窗口里的")
    expect(other.get_by_label("标题")).to_have_value("另一个窗口里的")
    writing.get_by_role("button", name="退出").click()
    expect(writing.get_by_role("button", name="退出")).to_have_count(0)
    assert drafts(writing) == 0
    other.close(run_before_unload=False)
    assert drafts(writing) == 0
    login(writing, agent, live_site)
    writing.goto(NEW)
    expect(writing.get_by_role("button", name="恢复")).to_have_count(0)


def test_two_windows_keep_separate_drafts(writing: Page, live_site: str) -> None:
    other = writing.context.new_page()
    other.goto(NEW)
    other.get_by_label("标题").fill("第二个窗口")
    other.get_by_label("话术", exact=True).fill("第二个窗口写的")
    for one in (other, writing):
        with one.expect_navigation():
            one.reload()
    assert drafts(writing) == 2


def test_form_is_saved_after_a_login_elsewhere(
    writing: Page, live_site: str, agent: User
) -> None:
    """Signing in changes the CSRF token; the page that was open gets the new one."""
    end_sessions()
    other = writing.context.new_page()
    other.goto("/login/")
    other.get_by_label("用户名").fill(agent.username)
    other.get_by_label("密码").fill(PASSWORD)
    other.get_by_role("button", name="登录").click()
    expect(other.get_by_role("button", name="退出")).to_be_visible()
    writing.get_by_role("button", name="保存").click()
    expect(writing.get_by_text("已保存「催派送」")).to_be_visible()


def test_draft_of_a_reply_has_its_own_key(
    page: Page, live_site: str, agent: User, login: Login
) -> None:
    own = replies.save_private_reply(
        Reply(owner=agent, title="一", body="一"), by=agent
    )
    login(page, agent, live_site)
    page.goto(f"/console/mine/{own.pk}/")
    page.get_by_label("话术", exact=True).fill("改到一半")
    page.goto(NEW)
    expect(page.get_by_role("button", name="恢复")).to_have_count(0)
    page.goto(f"/console/mine/{own.pk}/")
    page.get_by_role("button", name="恢复").click()
    expect(page.get_by_label("话术", exact=True)).to_have_value("改到一半")


def test_draft_is_deleted_after_recording(
    page: Page, live_site: str, agent: User, login: Login
) -> None:
    """The page without the dialog leads back to the console once it is saved."""
    login(page, agent, live_site)
    page.goto("/console/capture/")
    page.get_by_label("客户的话").fill("能开发票吗")
    page.get_by_label("我的回答").fill("能")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已记下")).to_be_visible()
    for _ in range(100):  # the script that clears it is loaded for it
        if drafts(page) == 0:
            break
        page.wait_for_timeout(50)
    assert drafts(page) == 0
