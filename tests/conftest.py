"""Fixtures that tests share: accounts, entries, questions, browser pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache

from kb.index import sync
from kb.index.engines import get_engine
from kb.library import entries
from kb.models import ROLE_AGENT, ROLE_EDITOR, ROLE_LEAD, Entry, Question, Reply, User
from kb.publishing import edition, page_cache, page_views
from kb.questions import intake
from kb.text.chinese import tokenizer

# A busy machine is no failure; speed is measured by `make bench`.
hypothesis.settings.register_profile("kb", deadline=None)
hypothesis.settings.load_profile("kb")

MakeEntry = Callable[..., Entry]
MakeQuestion = Callable[..., Question]
SHARED = Path(os.environ.get("KB_SHARED_DATA", Path(__file__).parents[2] / "shared"))
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)


@pytest.fixture(autouse=True)
def _fresh_engine_and_cache() -> Iterator[None]:
    """Clear indexes, caches and counters, so that tests do not depend on each other."""
    get_engine.cache_clear()
    cache.clear()
    page_cache.public_page_cache.clear()
    edition.clear_cached_edition()
    page_views.discard_pending_views()
    yield
    get_engine.cache_clear()
    tokenizer.teach_words(frozenset())


@pytest.fixture
def groups(db: None) -> None:
    """The groups of kb.accounts.roles, which post_migrate creates, also after a flush."""


@pytest.fixture
def make_user(groups: None) -> Callable[..., User]:
    def make(username: str, group: str = "", **columns: Any) -> User:
        user = User.objects.create_user(username, password="一壶好茶 2026", **columns)
        if group:
            user.groups.add(Group.objects.get(name=group))
        return user

    return make


@pytest.fixture
def agent(make_user: Callable[..., User]) -> User:
    return make_user("agent", ROLE_AGENT)


@pytest.fixture
def editor(make_user: Callable[..., User]) -> User:
    return make_user("editor", ROLE_EDITOR, is_staff=True)


@pytest.fixture
def lead(make_user: Callable[..., User]) -> User:
    return make_user("lead", ROLE_LEAD, is_staff=True)


@pytest.fixture
def make_entry(db: None) -> MakeEntry:
    """Return a function that creates an entry, with its status, and indexes it."""
    moves: dict[str, list[Callable[..., Entry]]] = {
        "draft": [],
        "review": [entries.submit_entry],
        "published": [entries.publish_entry],
        "retired": [entries.publish_entry, entries.retire_entry],
    }

    def make(
        question: str = "退货运费谁承担？",
        answer: str = "质量问题由我们承担，个人原因由您承担。",
        status: str = "published",
        audience: str = "public",
        replies: tuple[str, ...] | list[str] = (),
        **columns: Any,
    ) -> Entry:
        made = entries.create_draft(
            question,
            by=None,
            answer=answer,
            audience=audience,
            replies=[Reply(body=body) for body in replies],
            **columns,
        )
        for move in moves[status]:
            made = move(made, by=None)
        sync.sync_all_marks()
        return made

    # A missing index is made once, so that tests may choose any engine.
    sync.rebuild_index()
    return make


@pytest.fixture
def make_question(db: None) -> MakeQuestion:
    def make(
        text: str = "我要退货运费谁出呀",
        answer: str = "亲，质量问题我们出。",
        **columns: Any,
    ) -> Question:
        return intake.record_question(text, answer=answer, **columns)

    return make


@pytest.fixture
def shared() -> Path:
    """Return the folder of shared data, or skip with the reason."""
    if not SHARED.is_dir():
        pytest.skip(f"shared data are not here: {SHARED}")
    return SHARED


# A real browser ----------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    quiet += ["--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield chromium
        chromium.close()


@pytest.fixture
def live_site(groups: None, transactional_db: None, live_server: Any) -> str:
    """Return the address of the site, served to a real browser."""
    return str(live_server.url)


@pytest.fixture
def page(browser: Any, live_site: str) -> Iterator[Any]:
    """Return a page of a desktop browser, 1280 × 800."""
    yield from _page(browser, live_site, {"width": 1280, "height": 800})


@pytest.fixture
def phone(browser: Any, live_site: str) -> Iterator[Any]:
    """Return a page of a phone, 360 × 740."""
    yield from _page(browser, live_site, {"width": 360, "height": 740})


def _page(browser: Any, site: str, viewport: dict[str, int]) -> Iterator[Any]:
    context = browser.new_context(viewport=viewport, locale="zh-CN", base_url=site)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if "Content Security Policy" in message.text
            else None
        ),
    )
    yield page
    context.close()
    assert complaints == [], "the page complained"


@pytest.fixture
def login() -> Callable[..., None]:
    """Return a function that logs `user` in on a browser's page."""

    def log_in(page: Any, user: User, site: str) -> None:
        from django.conf import settings
        from django.test import Client

        client = Client()
        client.force_login(user)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": site}]
        )

    return log_in
