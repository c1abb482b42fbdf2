"""Everybody changes their own password; who was given one chooses another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from kb.models import ROLE_AGENT, AuditEvent, User
from tests.accounts.test_login_throttle import PASSWORD, log_in

NEW = "新的一壶好茶，二〇二七年"
OWN = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}


@pytest.fixture
def at_work(client: Client, agent: User) -> Client:
    assert log_in(client, "agent").status_code == 302
    return client


def test_an_agent_changes_the_password(at_work: Client, agent: User) -> None:
    assert 'href="/password/"' in at_work.get("/console/settings/").text
    page = at_work.get("/password/")
    for label in ("当前密码", "新密码", "再填一次新密码"):
        assert f">{label}</label>" in page.text
    changed = at_work.post("/password/", OWN, follow=True)
    assert "密码已修改" in changed.text
    assert at_work.get("/console/").status_code == 200  # this session stays
    assert log_in(Client(), "agent").status_code == 200
    assert log_in(Client(), "agent", NEW).status_code == 302
    event = AuditEvent.objects.filter(act=AuditEvent.Action.ACCOUNT_CHANGED).latest(
        "pk"
    )
    assert (event.by, event.what) == (agent, "agent：密码")


def test_all_other_sessions_end(at_work: Client) -> None:
    elsewhere = Client()
    log_in(elsewhere, "agent")
    assert elsewhere.get("/console/").status_code == 200
    at_work.post("/password/", OWN)
    assert elsewhere.get("/console/").status_code == 302


def test_editors_find_the_same_page(client: Client, editor: User) -> None:
    client.force_login(editor)
    assert 'href="/password/"' in client.get("/admin/").text
    assert client.get("/admin/password_change/")["Location"] == "/password/"
    assert client.post("/password/", OWN)["Location"] == "/desk/inbox/"


def test_strangers_are_sent_to_the_login(client: Client, db: None) -> None:
    assert client.get("/password/")["Location"] == "/login/?next=/password/"
    assert client.post("/password/", OWN)["Location"].startswith("/login/")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"old_password": "x"}, "当前密码不对"),
        ({"old_password": ""}, "请填写当前密码"),
        ({"new_password2": "x"}, "两次填的新密码不一样"),
        ({"new_password1": "", "new_password2": ""}, "请填写新密码"),
        ({"new_password1": "短", "new_password2": "短"}, "密码太短"),
        ({"new_password1": PASSWORD, "new_password2": PASSWORD}, "现在的密码一样"),
        (dict.fromkeys(("new_password1", "new_password2"), "1" * 13), "数字"),
        (dict.fromkeys(("new_password1", "new_password2"), "password1234"), "常见"),
        (dict.fromkeys(("new_password1", "new_password2"), "长" * 1025), "1024"),
    ],
)
def test_what_is_wrong_is_said_in_chinese_and_changes_nothing(
    at_work: Client, agent: User, wrong: dict[str, str], said: str
) -> None:
    before = agent.password
    answer = at_work.post("/password/", OWN | wrong)
    assert answer.status_code == 200
    assert said in answer.text
    assert PASSWORD not in answer.text
    agent.refresh_from_db()
    assert agent.password == before


def test_the_current_password_cannot_be_guessed_here(at_work: Client) -> None:
    codes = [
        at_work.post("/password/", OWN | {"old_password": "x"}).status_code
        for _ in range(6)
    ]
    assert codes == [200] * 5 + [429]
    refused = at_work.post("/password/", OWN)
    assert refused.status_code == 429
    assert "请 15 分钟后再试" in refused.text


# The first login ---------------------------------------------------------------------


@pytest.fixture
def issued(agent: User) -> User:
    agent.must_change_password = True
    agent.save()
    return agent


def test_who_was_given_a_password_chooses_another_first(
    client: Client, issued: User
) -> None:
    entered = log_in(client, "agent", next="/console/settings/")
    assert entered["Location"] == "/login/password/"
    assert client.get("/console/").status_code == 302  # not in yet
    assert "您的密码是别人设的" in client.get("/login/password/").text
    same = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert "现在的密码一样" in client.post("/login/password/", same).text
    chosen = {"new_password1": NEW, "new_password2": NEW}
    done = client.post("/login/password/", chosen)
    assert done["Location"] == "/console/settings/"
    assert client.get("/console/").status_code == 200
    event = AuditEvent.objects.filter(act=AuditEvent.Action.ACCOUNT_CHANGED).latest(
        "pk"
    )
    assert (event.by, event.what) == (issued, "agent：密码")
    assert log_in(Client(), "agent", NEW)["Location"] == "/console/"


def test_the_old_password_is_required_for_a_new_one(
    client: Client, issued: User
) -> None:
    chosen = {"new_password1": NEW, "new_password2": NEW}
    assert client.post("/login/password/", chosen)["Location"] == "/login/"
    log_in(client, "agent", "wrong")
    assert client.post("/login/password/", chosen)["Location"] == "/login/"
    log_in(client, "agent")
    issued.set_password("somebody reset it again")
    issued.save()
    assert client.post("/login/password/", chosen)["Location"] == "/login/"


def test_a_choice_that_took_too_long_begins_anew(
    client: Client, issued: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    log_in(client, "agent")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 16 * 60)
    assert client.get("/login/password/")["Location"] == "/login/"


def test_passwords_that_others_set_have_to_be_changed(
    client: Client, make_user: Callable[..., User], agent: User
) -> None:
    root = make_user("root", is_staff=True, is_superuser=True)
    client.force_login(root)
    form: dict[str, Any] = {"password1": NEW, "password2": NEW}
    form |= {"usable_password": "true"}
    made = client.post(
        reverse("admin:kb_user_add"), form | {"username": "newcomer", "name": "小新"}
    )
    assert made.status_code == 302, made.text
    assert User.objects.get(username="newcomer").must_change_password
    for user, asked in ((agent, True), (root, False)):
        url = reverse("admin:auth_user_password_change", args=[user.pk])
        assert client.post(url, form).status_code == 302
        user.refresh_from_db()
        assert user.must_change_password is asked
        assert user.check_password(NEW)


def test_an_account_of_the_command_line_is_not_asked(db: None) -> None:
    assert not User.objects.create_user("cli", password=PASSWORD).must_change_password
    assert User.objects.create_user("one").groups.filter(name=ROLE_AGENT).count() == 0
