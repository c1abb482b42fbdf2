"""Limits: of one client, and a generous one of an address behind which many sit."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from kb.models import Question, User
from kb.system import throttling
from kb.system.throttling import throttle_request
from kb.web.faq import ask_form

START = 1_800_000_000.0  # a whole minute


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test runs across the border of two minutes."""
    set_clock(monkeypatch, 0)


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(time, "time", lambda: START + seconds)


def wait(
    scope: str = "search", browser: str = "Firefox", address: str = "203.0.113.9"
) -> int:
    headers = {"user-agent": browser}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=address)
    request.user = AnonymousUser()
    return throttle_request(scope, request)


def test_a_client_waits_for_the_rest_of_the_window(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.KB_RATES = {"search": ("2/min", "")}
    set_clock(monkeypatch, 45)
    assert [wait(), wait(), wait()] == [0, 0, 15]
    set_clock(monkeypatch, 60)
    assert wait() == 0


def test_colleagues_behind_one_address_do_not_share_a_limit(settings: Any) -> None:
    settings.KB_RATES = {"search": ("2/min", "5/min")}
    for browser in ("Firefox", "Chrome"):
        assert [wait(browser=browser) for _ in range(2)] == [0, 0]
    assert wait(browser="Chrome") > 0
    assert wait(browser="Safari") == 0


def test_an_address_has_a_limit_whatever_its_browsers_are_called(settings: Any) -> None:
    settings.KB_RATES = {"search": ("2/min", "5/min")}
    waits = [wait(browser=f"made up {n}") for n in range(7)]
    assert waits[:5] == [0] * 5
    assert min(waits[5:]) > 0
    assert wait(address="203.0.113.10") == 0


def test_one_ipv6_network_is_one_address(settings: Any) -> None:
    settings.KB_RATES = {"search": ("5/min", "5/min")}
    waits = [wait(address=f"2001:db8::{n:x}") for n in range(1, 8)]
    assert [w > 0 for w in waits] == [False] * 5 + [True] * 2
    assert wait(address="2001:db8:0:1::1") == 0


def test_scopes_do_not_share_a_limit(settings: Any) -> None:
    settings.KB_RATES = {"search": ("1/min", ""), "ask_page": ("1/min", "")}
    assert (wait("search"), wait("ask_page")) == (0, 0)
    assert wait("search") > 0
    assert wait("ask_page") > 0


def test_an_account_counts_by_itself_at_any_address(settings: Any, agent: User) -> None:
    settings.KB_RATES = {"search": ("1/min", "1/min"), "agent": ("3/min", "")}
    waits = []
    for number in range(4):
        request = RequestFactory().get("/", REMOTE_ADDR=f"203.0.113.{number}")
        request.user = agent
        waits.append(throttle_request("search", request))
    assert [w > 0 for w in waits] == [False] * 3 + [True]


def test_a_rate_that_is_off_stops_no_request(settings: Any) -> None:
    settings.KB_RATES = {"search": ("", "")}
    assert {wait() for _ in range(50)} == {0}


@pytest.mark.parametrize("days", [-400, -2, -0.1, 0.1, 2, 400])
def test_a_clock_that_jumps_makes_no_client_wait_longer_than_a_window(
    settings: Any, monkeypatch: pytest.MonkeyPatch, days: float
) -> None:
    settings.KB_RATES = {"search": ("2/min", "3/min")}
    assert [wait() > 0 for _ in range(4)] == [False, False, True, True]
    set_clock(monkeypatch, days * 86_400)
    assert wait() == 0
    assert wait() <= 60


def test_a_cache_that_is_down_is_logged_once_a_minute(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Down:
        def add(self, *args: object) -> None:
            raise ConnectionError("connection refused")

    monkeypatch.setattr(throttling, "cache", Down())
    monkeypatch.setattr(throttling, "_cache_down_limiter", throttling.LogLimiter(60))
    assert {wait() for _ in range(9)} == {0}
    (record,) = caplog.records
    assert "connection refused" in record.getMessage()
    assert record.exc_info is None
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    wait()
    assert len(caplog.records) == 2


def test_who_has_searched_too_much_may_still_ask(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)
    settings.KB_RATES = settings.KB_RATES | {"search": ("1/min", "1/min")}
    client = Client()
    assert client.get("/search/", {"q": "退货"}).status_code == 200
    assert client.get("/search/", {"q": "退货"}).status_code == 429
    assert client.get("/ask/", {"q": "退货"}).status_code == 200
    assert client.get("/ask/near/", {"q": "退货"}).status_code == 200
    sent = {"text": "怎么退货", "send": "1", "stamp": ask_form.make_form_stamp()}
    assert client.post("/ask/", sent).status_code == 302
    assert Question.objects.count() == 1


def test_the_default_limits_fit_an_office(settings: Any) -> None:
    for scope, (one, everybody) in settings.KB_RATES.items():
        if scope == "agent":
            continue
        (single, seconds), (all_, same) = map(throttling.parse_rate, (one, everybody))
        assert seconds == same
        assert all_ >= 3 * single, scope


def test_a_form_from_before_the_clock_was_set_back_gets_the_right_message(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    sent = {"text": "怎么退货", "send": "1", "stamp": ask_form.make_form_stamp()}
    for seconds, sentence in (
        (-2 * 86_400, "已经失效"),
        (-61, "已经失效"),
        (0, "太快"),
        (ask_form.MAX_FORM_SECONDS + 1, "打开得太久"),
    ):
        set_clock(monkeypatch, seconds)
        refused = client.post("/ask/", sent)
        assert refused.status_code == 400
        assert sentence in refused.text, seconds
    set_clock(monkeypatch, ask_form.MIN_FORM_SECONDS)
    assert client.post("/ask/", sent).status_code == 302
