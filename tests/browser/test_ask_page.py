"""Asking a question and reading its answer, on a phone and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page, expect

from kb.models import AnswerVersion, Entry, Inquiry, Module
from kb.questions import triage
from kb.web.faq import ask_form
from tests.browser.hosting import violations
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TEXT = "快递显示签收了，可是没收到"
IN_VIEW = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(autouse=True)
def _a_person_took_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    Module.objects.create(name="物流", offered=True)
    return make_entry("快递显示签收但没收到怎么办？", "先问门卫。")


@pytest.fixture
def scriptless(browser: Any, live_site: str) -> Iterator[Page]:
    context = browser.new_context(
        base_url=live_site,
        java_script_enabled=False,
        viewport={"width": 360, "height": 740},
    )
    yield context.new_page()
    context.close()


def _asks(page: Page, entry: Entry) -> Inquiry:
    page.goto("/search/?q=榴莲承包")
    page.get_by_role("link", name="还是没解决").click()
    page.get_by_label("您的问题").fill(TEXT)
    page.get_by_role("button", name="换个说法").click()
    expect(page.get_by_role("link", name=entry.question)).to_be_visible()
    page.get_by_label("和什么有关").select_option(label="物流")
    page.get_by_label("手机号或邮箱").fill("不是号码")
    page.get_by_role("button", name="提交问题").click()
    expect(page.get_by_role("alert")).to_contain_text("请填手机号或邮箱")
    expect(page.get_by_label("您的问题")).to_have_value(TEXT)
    page.get_by_label("手机号或邮箱").fill("13800001234")
    page.get_by_role("button", name="提交问题").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已收到")
    return Inquiry.objects.select_related("question").get()


def _reads_and_rates(page: Page, inquiry: Inquiry) -> None:
    triage.answer_question(inquiry.question, answer="请等 3 天", by=None)
    page.goto(f"/q/{inquiry.token}/")
    expect(page.get_by_text("请等 3 天")).to_be_visible()
    page.get_by_label("4 满意").check()
    page.get_by_role("button", name="提交评分").click()
    expect(page.get_by_text("谢谢评分")).to_be_visible()
    inquiry.refresh_from_db()
    assert inquiry.score == 4


def test_a_customer_asks_on_a_phone(phone: Page, entry: Entry) -> None:
    inquiry = _asks(phone, entry)
    assert inquiry.words == "榴莲承包"
    assert phone.evaluate(IN_VIEW)
    assert violations(phone) == []
    _reads_and_rates(phone, inquiry)
    assert phone.evaluate(IN_VIEW)
    assert violations(phone) == []
    assert phone.context.cookies() == []


def test_a_customer_asks_without_a_script(scriptless: Page, entry: Entry) -> None:
    _reads_and_rates(scriptless, _asks(scriptless, entry))


def test_a_heavy_photo_is_made_light_before_it_is_sent(
    phone: Page, entry: Entry, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    Image.frombytes("RGB", (1800, 1200), Random(5).randbytes(1800 * 1200 * 3)).save(
        photo
    )
    phone.goto("/ask/?q=看图")
    phone.get_by_label("截图").set_input_files([photo, photo])
    phone.get_by_role("button", name="提交问题").click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text("已收到")
    assert Inquiry.objects.get().attachments.count() == 2


def test_answers_come_while_it_is_typed(page: Page, entry: Entry) -> None:
    page.goto("/ask/")
    assert violations(page) == []
    page.get_by_label("您的问题").press_sequentially("快递签收没收到", delay=20)
    offered = page.get_by_role("region", name="可能的答案")
    expect(offered.get_by_role("link", name=entry.question)).to_be_visible()
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_label("手机号或邮箱")).to_be_visible()
    assert violations(page) == []


def test_nothing_is_asked_while_the_input_method_composes(
    page: Page, entry: Entry
) -> None:
    page.goto("/ask/")
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/near/" in r.url else None)
    compose = """value => {
        const box = document.querySelector('#text');
        box.value = value;
        box.dispatchEvent(new InputEvent('input', { isComposing: true, bubbles: true }));
    }"""
    page.evaluate(compose, "kuaidi")
    page.wait_for_timeout(600)
    assert asked == []
    with page.expect_request("**/near/**"):
        page.evaluate(
            """() => {
            const box = document.querySelector('#text');
            box.value = '快递';
            box.dispatchEvent(new CompositionEvent('compositionend'));
        }"""
        )


def test_an_agent_answers_by_keyboard_and_the_page_is_clean(
    page: Page, entry: Entry, agent: Any, login: Any, live_site: str, phone: Page
) -> None:
    inquiry = _asks(phone, entry)
    login(page, agent, live_site)
    page.goto("/desk/asked/")
    expect(page.get_by_role("heading", level=1)).to_have_text(TEXT)
    assert violations(page) == []
    page.get_by_label("回复", exact=True).fill("请等 3 天")
    page.get_by_role("button", name="回复", exact=True).click()
    expect(page.get_by_text("都回复完了")).to_be_visible()
    AnswerVersion.objects.update(visible_from=timezone.now())  # ten seconds later
    phone.goto(f"/q/{inquiry.token}/")
    expect(phone.get_by_text("请等 3 天")).to_be_visible()
