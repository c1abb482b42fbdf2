"""Login: everybody lands where they work, and guessers wait."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kb.accounts import login_throttle
from kb.accounts.login_throttle import TooManyAttemptsError, start_attempt
from kb.models import LoginCounter, User

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


def test_the_sixth_wrong_try_waits_and_says_how_long(
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
    for number in range(login_throttle.MAX_PER_ADDRESS):
        assert log_in(client, f"unknown{number}", "wrong").status_code == 200
    assert log_in(client, "agent").status_code == 429
    other = Client(REMOTE_ADDR="192.0.2.7")
    assert log_in(other, "agent").status_code == 302


def test_a_forged_forwarded_address_is_the_same_address(
    client: Client, agent: User
) -> None:
    for number in range(login_throttle.MAX_PER_ADDRESS):
        forged = Client(headers={"x-forwarded-for": f"192.0.2.{number}"})
        log_in(forged, f"unknown{number}", "wrong")
    assert log_in(client, "agent").status_code == 429


def test_an_office_may_come_in_through_one_address(client: Client, agent: User) -> None:
    for _ in range(login_throttle.MAX_PER_ADDRESS + 5):
        assert log_in(client, "agent").status_code == 302
        client.logout()


def seconds_to_wait(address: str = "192.0.2.1", device: str = "") -> int:
    """Count an attempt on the account `agent`, whose check never ends."""
    try:
        start_attempt(username="agent", address=address, device=device)
    except TooManyAttemptsError as refused:
        return refused.seconds
    return 0


@pytest.mark.django_db(transaction=True)
def test_a_parallel_burst_gains_no_try() -> None:
    def attempt(_: int) -> int:
        try:
            return seconds_to_wait()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as crowd:
        waits = list(crowd.map(attempt, range(40)))
    assert waits.count(0) == login_throttle.MAX_PER_PAIR


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


# A stranger locks no account ---------------------------------------------------------


def elsewhere(number: int, **more: Any) -> Client:
    """Return a client at an address of its own."""
    return Client(REMOTE_ADDR=f"198.51.100.{number}", **more)


def test_wrong_passwords_of_a_stranger_lock_no_account(
    client: Client, agent: User
) -> None:
    for _ in range(8):
        log_in(client, "agent", "wrong")
    assert log_in(client, "agent").status_code == 429
    assert log_in(elsewhere(1), "agent").status_code == 302


def test_an_account_under_fire_from_many_addresses_is_slowed(
    agent: User, later: Callable[[float], None]
) -> None:
    for number in range(login_throttle.SLOW_ACCOUNT_AFTER):
        assert log_in(elsewhere(number), "agent", "wrong").status_code == 200
    refused = log_in(elsewhere(100), "agent", "wrong")
    assert refused.status_code == 429
    wait = int(refused.headers["Retry-After"])
    assert 0 < wait <= login_throttle.MAX_DELAY_SECONDS
    assert f"请 {wait} 秒后再试" in refused.text
    later(wait)
    assert log_in(elsewhere(100), "agent").status_code == 302


def test_the_delay_of_an_account_grows_up_to_a_limit(
    agent: User, later: Callable[[float], None]
) -> None:
    moment, waits = 0.0, []
    for number in range(login_throttle.SLOW_ACCOUNT_AFTER + 8):
        while wait := seconds_to_wait(f"198.51.100.{number}"):
            waits.append(wait)
            moment += wait
            later(moment)
    assert waits == sorted(waits)
    assert waits[0] <= 2
    assert waits[-1] == login_throttle.MAX_DELAY_SECONDS


def test_a_browser_that_was_used_before_is_not_stopped_by_strangers(
    client: Client, agent: User
) -> None:
    assert log_in(client, "agent").status_code == 302
    cookie = client.cookies["known_device"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (
        "/login/",
        True,
        "Lax",
    )
    stranger = Client()  # at the same address: an office, or a carrier
    for number in range(30):
        log_in(stranger, "agent", "wrong")
        log_in(stranger, f"unknown{number}", "wrong")
    for number in range(30):
        log_in(elsewhere(number), "agent", "wrong")
    assert log_in(stranger, "agent").status_code == 429
    client.post("/logout/")
    assert log_in(client, "agent").status_code == 302


def test_a_known_browser_has_five_tries_too(client: Client, agent: User) -> None:
    log_in(client, "agent")
    client.post("/logout/")
    codes = [log_in(client, "agent", "wrong").status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]


def test_the_browser_of_another_account_is_not_known(
    client: Client, agent: User, editor: User
) -> None:
    log_in(client, "editor")
    client.post("/logout/")
    stranger = Client()
    for _ in range(6):
        log_in(stranger, "agent", "wrong")
    assert log_in(client, "agent").status_code == 429
    client.cookies["known_device"] = "made up"
    assert log_in(client, "agent").status_code == 429


def test_a_desk_that_colleagues_share_is_known_to_each(
    client: Client, agent: User, editor: User
) -> None:
    for name in ("agent", "editor"):
        log_in(client, name)
        client.post("/logout/")
    for _ in range(6):
        log_in(Client(), "agent", "wrong")
        log_in(Client(), "editor", "wrong")
    for name in ("agent", "editor"):
        assert log_in(client, name).status_code == 302
        client.post("/logout/")


def test_a_login_that_was_cut_off_is_no_wrong_password(
    client: Client, agent: User, later: Callable[[float], None]
) -> None:
    for _ in range(5):
        seconds_to_wait("127.0.0.1")  # the process was killed: no result is recorded
    assert log_in(client, "agent").status_code == 429
    later(login_throttle.PENDING_SECONDS + 1)
    assert log_in(client, "agent").status_code == 302


def test_a_clock_that_was_set_back_locks_no_account(
    client: Client, agent: User, later: Callable[[float], None]
) -> None:
    later(3 * 3600)
    for _ in range(6):
        log_in(client, "agent", "wrong")
    later(0)
    assert log_in(client, "agent").status_code == 302


def test_one_ipv6_network_is_one_address(settings: Any, agent: User) -> None:
    for number in range(5):
        client = Client(REMOTE_ADDR=f"2001:db8::{number:x}")
        assert log_in(client, "agent", "wrong").status_code == 200
    assert log_in(Client(REMOTE_ADDR="2001:db8::abcd"), "agent").status_code == 429
    assert log_in(Client(REMOTE_ADDR="2001:db8:0:1::1"), "agent").status_code == 302


def test_names_and_addresses_are_not_kept(client: Client, agent: User) -> None:
    log_in(client, "agent", "wrong")
    kept = " ".join(LoginCounter.objects.values_list("key", flat=True))
    assert "agent" not in kept
    assert "127.0" not in kept


def test_counters_that_hold_nothing_go(
    client: Client, agent: User, django_user_model: Any
) -> None:
    log_in(client, "unknown", "wrong")
    LoginCounter.objects.update(updated_at="2020-01-01T00:00Z")
    log_in(elsewhere(1), "agent")
    assert LoginCounter.objects.count() == 3  # those of this login


# The counters fail closed ------------------------------------------------------------


def test_the_login_needs_no_cache(
    client: Client, agent: User, settings: Any, tmp_path: Any
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    settings.CACHES = {
        "default": {
            "BACKEND": "config.caches.FileCache",
            "LOCATION": str(tmp_path / "cache"),
        }
    }
    codes = [log_in(client, "agent", "wrong").status_code for _ in range(8)]
    assert codes == [200] * 5 + [429] * 3


def test_without_counters_no_login_is_possible(
    client: Client, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(login_throttle, "_lock_counter", fail)
    response = log_in(client, "agent")
    assert response.status_code == 503
    assert "登录暂时不可用，请过一会儿再试" in response.text
    assert int(response.headers["Retry-After"]) > 0
    assert "_auth_user_id" not in client.session


def test_an_unknown_name_is_counted_like_a_known_one(agent: User) -> None:
    """The queries do not reveal whether an account exists."""
    queries = {}
    for name in ("agent", "unknown"):
        with CaptureQueriesContext(connection) as captured:
            log_in(Client(), name, "wrong")
        queries[name] = [
            re.sub(r"'.*?'|\d+", "", query["sql"])[:60] for query in captured
        ]
    assert queries["agent"] == queries["unknown"]
