"""Login: everybody lands where they work, and guessers wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client

from kb.desk import tries
from kb.models import User

PASSWORD = "一壶好茶 2026"


def log_in(client: Client, username: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post(
        "/login/", {"username": username, "password": password, **more}, follow=False
    )


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that lets seconds pass."""
    now = time.time

    def move(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: now() + seconds)

    return move


def test_people_land_where_they_work(
    client: Client, agent: User, editor: User, lead: User
) -> None:
    for user, where in [
        (agent, "/console/"),
        (editor, "/desk/inbox/"),
        (lead, "/desk/inbox/"),
    ]:
        assert log_in(client, user.username).headers["Location"] == where
        client.logout()


def test_somebody_without_a_group_lands_on_the_faq(
    client: Client, make_user: Callable[..., User]
) -> None:
    make_user("guest")
    assert log_in(client, "guest").headers["Location"] == "/"


def test_next_is_where_they_wanted_to_go(client: Client, agent: User) -> None:
    page = client.get("/console/")
    assert page.headers["Location"] == "/login/?next=/console/"
    response = log_in(client, "agent", next="/q/1/")
    assert response.headers["Location"] == "/q/1/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example/",
        "https:\\\\evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\x00//evil.example",
        "http:///evil.example",
    ],
)
def test_next_never_leaves_the_site(
    client: Client, agent: User, elsewhere: str
) -> None:
    response = log_in(client, "agent", next=elsewhere)
    assert response.headers["Location"] == "/console/"


def test_a_wrong_password_says_so_and_keeps_the_name(
    client: Client, agent: User
) -> None:
    page = log_in(client, "agent", "不对").content.decode()
    assert "用户名或密码不对" in page
    assert 'value="agent"' in page
    assert "不对</" not in page.replace("密码不对", "")  # the password is not sent back


def test_the_sixth_wrong_try_waits_and_is_told_how_long(
    client: Client, agent: User
) -> None:
    for _ in range(5):
        assert log_in(client, "agent", "wrong").status_code == 200
    response = log_in(client, "agent", "wrong")
    assert response.status_code == 429
    assert "请 15 分钟后再试" in response.content.decode()
    assert 0 < int(response.headers["Retry-After"]) <= 15 * 60


def test_while_waiting_even_the_right_password_is_refused(
    client: Client, agent: User
) -> None:
    for _ in range(5):
        log_in(client, "agent", "wrong")
    assert log_in(client, "agent").status_code == 429
    assert "_auth_user_id" not in client.session


@pytest.mark.skipif(
    "redis" in site.CACHES["default"]["BACKEND"].lower(),
    reason="Redis goes by its own clock",
)
def test_the_wait_is_over_after_a_quarter_of_an_hour(
    client: Client, agent: User, later: Callable[[float], None]
) -> None:
    for _ in range(5):
        log_in(client, "agent", "wrong")
    later(14 * 60)
    assert log_in(client, "agent").status_code == 429  # and does not begin anew
    later(15 * 60 + 1)
    assert log_in(client, "agent").status_code == 302


def test_a_right_password_forgives_the_wrong_ones(client: Client, agent: User) -> None:
    for _ in range(3):
        for _ in range(4):
            log_in(client, "agent", "wrong")
        assert log_in(client, "agent").status_code == 302
        client.logout()


def test_one_spelling_of_a_name_is_one_account(client: Client, agent: User) -> None:
    for name in ("agent", "AGENT", "ａｇｅｎｔ", "Agent", "ＡＧＥＮＴ"):
        log_in(client, name, "wrong")
    assert log_in(client, "agent").status_code == 429


def test_an_account_under_fire_locks_out_no_other(
    client: Client, agent: User, editor: User
) -> None:
    for _ in range(30):  # what is refused does not count against the address
        log_in(client, "agent", "wrong")
    assert log_in(client, "editor").status_code == 302


def test_one_address_cannot_try_many_accounts(client: Client, agent: User) -> None:
    for number in range(tries.ADDRESS):
        assert log_in(client, f"nobody{number}", "wrong").status_code == 200
    assert log_in(client, "agent").status_code == 429
    other = Client(REMOTE_ADDR="192.0.2.7")
    assert log_in(other, "agent").status_code == 302


def test_a_forged_forwarded_address_is_the_same_address(
    client: Client, agent: User
) -> None:
    for number in range(tries.ADDRESS):
        forged = Client(headers={"x-forwarded-for": f"192.0.2.{number}"})
        log_in(forged, f"nobody{number}", "wrong")
    assert log_in(client, "agent").status_code == 429


def test_an_office_may_come_in_through_one_address(client: Client, agent: User) -> None:
    for _ in range(tries.ADDRESS + 5):
        assert log_in(client, "agent").status_code == 302
        client.logout()


@pytest.fixture(params=["locmem.LocMemCache", "filebased.FileBasedCache"])
def any_cache(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> None:
    backend = f"django.core.cache.backends.{request.param}"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}


def test_a_parallel_burst_gains_no_try(any_cache: None) -> None:
    counted = tries.counters(username="agent", address="192.0.2.1")
    with ThreadPoolExecutor(20) as crowd:
        waits = list(crowd.map(lambda _: tries.take(counted), range(100)))
    assert waits.count(0) == tries.ACCOUNT


def test_the_wait_ends_with_any_cache(
    any_cache: None, later: Callable[[float], None]
) -> None:
    counted = tries.counters(username="agent", address="192.0.2.1")
    for minute in range(tries.ACCOUNT):
        later(minute * 60)
        assert tries.take(counted) == 0
    later(14 * 60)
    assert 0 < tries.take(counted) <= 60
    later(15 * 60 + 1)
    assert tries.take(counted) == 0


def test_without_its_cache_the_login_still_counts(
    client: Client, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.desk.tries.cache", _Down())
    for _ in range(5):
        assert log_in(client, "agent", "wrong").status_code == 200
    assert log_in(client, "agent", "wrong").status_code == 429


class _Down:
    def __getattr__(self, name: str) -> Any:
        raise ConnectionError("no cache")


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("a\x00b", "x"),
        ("agent", "a\x00b"),
        ("agent", "长" * 300_000),
        ("长" * 300_000, "x"),
        ("\u202e\u200b", "\u200b"),
        ("", ""),
        ("' OR 1=1 --", "' OR 1=1 --"),
        ("\U0001f469‍\U0001f4bb", "<script>alert(1)</script>"),
    ],
)
def test_hostile_names_and_passwords_are_only_wrong(
    client: Client, agent: User, username: str, password: str
) -> None:
    response = log_in(client, username, password)
    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_broken_bytes_are_only_wrong(client: Client, agent: User) -> None:
    broken = b"username=%ED%A0%80&password=%FF%FE"
    form = "application/x-www-form-urlencoded"
    assert client.post("/login/", broken, content_type=form).status_code == 200


def test_the_session_gets_a_new_key_at_login(client: Client, agent: User) -> None:
    session = client.session
    session["basket"] = "left by somebody"
    session.save()
    before = session.session_key
    log_in(client, "agent")
    assert client.session.session_key != before


def test_who_is_in_need_not_log_in_again(client: Client, editor: User) -> None:
    client.force_login(editor)
    assert client.get("/login/").headers["Location"] == "/desk/inbox/"


def test_a_login_from_another_site_is_refused(agent: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert log_in(strict, "agent").status_code == 403


def test_leaving_is_a_post_and_leaves_nothing_behind(
    client: Client, agent: User
) -> None:
    client.force_login(agent)
    assert client.get("/logout/").status_code == 405
    response = client.post("/logout/")
    assert response.headers["Location"] == "/"
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "_auth_user_id" not in client.session


def test_the_login_page_is_not_kept(client: Client, db: None) -> None:
    assert "no-store" in client.get("/login/").headers["Cache-Control"]
