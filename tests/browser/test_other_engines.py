"""The main tasks of console and widget in Firefox and WebKit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.test import Client

from kb.models import Inquiry, User, Vote
from tests.browser.hosting import Host
from tests.browser.other_engines import Engine, missing, started
from tests.browser.test_widget import host, put  # noqa: F401
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SLOW = """const real = window.fetch;
window.fetch = (...sent) => new Promise((go) => setTimeout(go, arguments[0])).then(() => real(...sent));"""
PANEL = "document.querySelector('[data-help-widget]').shadowRoot"


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if reason := missing(request.param):
        pytest.skip(reason)
    with started(request.param) as engine:
        yield engine


@pytest.fixture
def console(
    engine: Engine, live_site: str, agent: User, make_entry: MakeEntry
) -> Iterator[Engine]:
    """Yield the console of an agent, open, with nothing of an earlier test."""
    make_entry("电子发票怎么开？", replies=["请点“开发票”。"])
    make_entry("怎么查快递？", replies=["单号 {{运单号}}，请查收。"])
    client = Client()
    client.force_login(agent)
    name = django_settings.SESSION_COOKIE_NAME
    engine.open(f"{live_site}/robots.txt")
    engine.add_cookie(name, client.cookies[name].value)
    open_console(engine, live_site)
    engine.run("sessionStorage.clear(); localStorage.clear()")
    open_console(engine, live_site)
    yield engine
    engine.open("about:blank")  # what the page tells on leaving finds its user


def open_console(engine: Engine, site: str) -> None:
    engine.open(f"{site}/console/")
    engine.wait_for("document.querySelector('html.scripted')")


def expect_said(engine: Engine, words: str) -> None:
    engine.wait_for(
        f"document.querySelector('#status-message').textContent.includes({words!r})"
    )


def expect_chosen(engine: Engine, words: str) -> None:
    chosen = "document.querySelector('.option[aria-selected=true]')"
    engine.wait_for(f"{chosen}?.textContent.includes({words!r})")
    engine.wait_for("!document.querySelector('#panes').hasAttribute('aria-busy')")


def test_enter_right_after_a_paste_copies(console: Engine) -> None:
    """The list comes late; the clipboard is written for the key all the same."""
    console.run(SLOW, 700)
    console.paste("发票怎么开呀")
    console.press("Enter")
    expect_said(console, "已复制：电子发票怎么开？")
    assert console.clipboard() == "请点“开发票”。"


def test_alt_and_a_digit_right_after_typing_copies(console: Engine) -> None:
    console.run(SLOW, 700)
    console.run("q.focus()")
    console.press(*"fapiao", "Alt+1")
    expect_said(console, "已复制：电子发票怎么开？")
    assert console.clipboard() == "请点“开发票”。"


def test_blanks_are_filled_and_belong_to_one_customer(console: Engine) -> None:
    console.paste("帮我查快递")
    expect_chosen(console, "怎么查快递？")
    console.press("Enter")
    expect_said(console, "还没填：运单号")
    console.press(*"SF10086")
    console.press("Enter")
    expect_said(console, "已复制：")
    assert console.clipboard() == "单号 SF10086，请查收。"
    console.paste("我也要查快递")
    expect_said(console, "已换成新客户")
    console.press("Enter")
    expect_said(console, "还没填：运单号")
    console.press("Alt+z")
    console.wait_for("document.querySelector('[data-fill]').value === 'SF10086'")


def test_a_page_that_was_left_comes_back_with_words_and_values(
    console: Engine, live_site: str
) -> None:
    """WebKit empties fields of a page that it kept."""
    console.paste("帮我查快递")
    expect_chosen(console, "怎么查快递？")
    console.press("Enter")
    expect_said(console, "还没填：运单号")
    console.press(*"SF10086")
    console.wait_for("location.search.includes('q=')")
    console.open(f"{live_site}/console/mine/")
    console.back()
    console.wait_for("document.querySelector('html.scripted') && q.value")
    expect_chosen(console, "怎么查快递？")
    assert console.run("return q.value") == "帮我查快递"
    console.wait_for("document.querySelector('[data-fill]').value === 'SF10086'")


def shown(words: str) -> str:
    """Return an expression: the button, link or label in the widget with `words`."""
    buttons = f"[...{PANEL}.querySelectorAll('button, a, label')]"
    return f"{buttons}.find((one) => one.textContent.includes({words!r}))"


def test_a_customer_is_helped_by_the_widget(
    engine: Engine,
    host: Host,  # noqa: F811
    live_site: str,
    make_entry: MakeEntry,
) -> None:
    make_entry("退货运费谁承担？", "质量问题由我们承担。")
    engine.open(put(host, live_site))
    engine.press_on(shown("帮助"))
    engine.wait_for(f"{PANEL}.querySelector('#q')")
    engine.run(
        f"{PANEL}.querySelector('#q').focus()"
    )  # without a mouse the title has it
    engine.press(*"yunfei")
    engine.press_on(shown("退货运费谁承担？"))
    engine.press_on(shown("没帮助"))
    engine.press_on(f"{PANEL}.querySelector('input[value=unsolved]')", " ")
    engine.press_on(shown("提交"))
    engine.wait_for(f"{PANEL}.textContent.includes('谢谢反馈')")
    engine.press_on(shown("还是没解决"))
    engine.wait_for(f"{PANEL}.querySelector('#text')")
    engine.run(f"{PANEL}.querySelector('#text').focus()")
    engine.press("Control+a", *"refund please")
    engine.press_on(shown("提交"))
    engine.wait_for(f"{PANEL}.textContent.includes('打开我的提问页')")
    # The focus is on what came, for the next key and for screen readers.
    engine.wait_for(f"{PANEL}.activeElement")
    assert Inquiry.objects.get().question.text == "refund please"
    assert Vote.objects.get().reason == "unsolved"
