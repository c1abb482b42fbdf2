"""A full disk or a failing database: 503, the reason, and what was typed comes back."""

from __future__ import annotations

import errno
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, transaction
from django.test import Client, RequestFactory

from kb.models import Entry, Inquiry, Question, User, Vote
from kb.system import outages
from kb.system.database.errors import (
    DatabaseReplacedError,
    DatabaseTimeoutError,
    DatabaseUnavailableError,
    OutageReason,
    find_outage_reason,
)
from kb.web.faq import ask_form
from tests.admin.test_imports import GOOD, upload
from tests.admin_forms import get_change_url as where
from tests.admin_forms import read_form as filled
from tests.conftest import MakeEntry
from tests.library.test_pictures import image
from tests.web.faq.test_ask_page import fields
from tests.web.faq.test_votes import form as vote_form

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
TYPED = "丢不得的话"
SENTENCES = {
    "SQLITE_FULL": "服务器的磁盘已满",
    "SQLITE_BUSY": "数据库正忙",
    "SQLITE_READONLY": "数据库现在只读",
    "SQLITE_CANTOPEN": "数据库连不上",
}
ON_SQLITE = pytest.mark.skipif(
    "sqlite" not in settings.DATABASES["default"]["ENGINE"], reason="SQLite alone"
)


@pytest.fixture(autouse=True)
def _fresh_log_and_folder(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outages.outage_log.clear()
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)


@pytest.fixture
def people(agent: User, editor: User) -> dict[str, User]:
    return {"agent": agent, "editor": editor}


def sqlite_error(name: str) -> OperationalError:
    """Return an error as Django raises it for SQLite's `name`."""
    cause = sqlite3.OperationalError(name)
    cause.sqlite_errorname = name
    error = OperationalError(name)
    error.__cause__ = cause
    return error


@contextmanager
def failing(name: str) -> Iterator[None]:
    """Let writes fail; where the file cannot be opened everything fails."""

    def fail(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if name == "SQLITE_CANTOPEN" or sql.lstrip().upper().startswith(WRITES):
            raise sqlite_error(name)
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        yield


# Every door -----------------------------------------------------------------------


def log_in(client: Client, people: dict[str, User], entry: Entry) -> Callable[[], Any]:
    typed = {"username": TYPED, "password": "一壶好茶 2026"}
    people["agent"].username = TYPED
    people["agent"].save()
    return lambda: client.post("/login/", typed)


def vote(client: Client, people: dict[str, User], entry: Entry) -> Callable[[], Any]:
    sent = vote_form(client, entry) | {"helpful": "no", "note": TYPED}
    return lambda: client.post(f"/vote/{entry.pk}/", sent)


def ask(client: Client, people: dict[str, User], entry: Entry) -> Callable[[], Any]:
    sent = fields(client.get("/ask/")) | {"text": TYPED, "send": "1"}
    return lambda: client.post("/ask/", sent)


def capture(client: Client, people: dict[str, User], entry: Entry) -> Callable[[], Any]:
    client.force_login(people["agent"])
    sent = {"text": TYPED, "channel": "wechat"}
    return lambda: client.post("/console/capture/", sent)


def pick(client: Client, people: dict[str, User], entry: Entry) -> Callable[[], Any]:
    client.force_login(people["agent"])
    sent = {"q": TYPED, "entry": entry.pk}
    return lambda: client.post("/console/pick/", sent)


def save(client: Client, people: dict[str, User], entry: Entry) -> Callable[[], Any]:
    client.force_login(people["editor"])
    sent = {**filled(client, where(entry)), "answer": TYPED}
    return lambda: client.post(where(entry), sent)


def autosave(
    client: Client, people: dict[str, User], entry: Entry
) -> Callable[[], Any]:
    client.force_login(people["editor"])
    sent = {**filled(client, where(entry)), "answer": TYPED, "_entry": entry.pk}
    browser = {"Sec-Fetch-Dest": "empty", "Accept": "*/*"}
    return lambda: client.post("/admin/kb/entry/keep/", sent, headers=browser)


def picture(client: Client, people: dict[str, User], entry: Entry) -> Callable[[], Any]:
    client.force_login(people["editor"])
    body = image()
    browser = {"Sec-Fetch-Dest": "empty", "Accept": "*/*"}
    return lambda: client.post(
        "/admin/kb/picture/upload/",
        {"file": SimpleUploadedFile("图.png", body), "alt": TYPED},
        headers=browser,
    )


DOORS = [log_in, vote, ask, capture, pick, save, autosave, picture]
JSON_DOORS = {autosave, picture}


@pytest.mark.django_db
@pytest.mark.parametrize("name", SENTENCES)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_door_says_why_and_gives_back_what_was_typed(
    client: Client,
    make_entry: MakeEntry,
    people: dict[str, User],
    door: Callable[..., Callable[[], Any]],
    name: str,
) -> None:
    send = door(client, people, make_entry())
    with failing(name):
        response = send()
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "no-store" in response.headers["Cache-Control"]
    if door in JSON_DOORS:
        answer = response.json()
        assert SENTENCES[name] in answer["error"] == answer["detail"]
        return
    assert SENTENCES[name] in response.text
    assert TYPED in response.text
    assert "重试" in response.text or door is log_in  # which shows its own form again
    assert "一壶好茶" not in response.text
    transaction.set_rollback(
        False
    )  # of the transaction of the test, around the request
    assert send().status_code in {200, 201, 204, 302}  # and it heals


@pytest.mark.django_db
def test_what_comes_back_can_be_sent_again() -> None:
    client = Client(enforce_csrf_checks=True)
    text = f"{TYPED}\n第二行 <b>&"
    sent = fields(client.get("/ask/")) | {"text": text, "send": "1", "contact": ""}
    with failing("SQLITE_BUSY"):
        page = client.post("/ask/", sent)
    (area,) = re.findall(
        r'<textarea[^>]*name="text"[^>]*>\n(.*?)</textarea>', page.text, re.S
    )
    assert area == f"{TYPED}\n第二行 &lt;b&gt;&amp;"
    again = fields(page) | {"text": text}
    assert client.post("/ask/", again).status_code == 302
    assert Inquiry.objects.get().question.text == text


@pytest.mark.django_db
def test_who_could_not_log_in_can_try_again(agent: User) -> None:
    client = Client(enforce_csrf_checks=True)
    token = fields(client.get("/login/"))["csrfmiddlewaretoken"]
    sent = {"username": "agent", "password": "一壶好茶 2026"}
    with failing("SQLITE_FULL"):
        page = client.post("/login/", sent | {"csrfmiddlewaretoken": token})
    assert page.status_code == 503
    assert client.post("/login/", fields(page) | sent).status_code == 302


def test_the_form_brings_a_new_token_and_no_password(rf: RequestFactory) -> None:
    sent = {
        "csrfmiddlewaretoken": "a" * 32,
        "username": "agent",
        "next": "/console/",
        "old_password": "一壶好茶 2026",
        "new_password1": "一壶好茶 2027",
    }
    request: Any = rf.post("/anywhere/", sent)
    request.is_accepted = True
    page = outages.make_outage_response(request, sqlite_error("SQLITE_FULL"))
    assert page is not None
    assert "一壶好茶" not in page.text
    assert 'type="password" name="old_password"' in page.text
    assert 'type="password" name="new_password1"' in page.text
    assert re.search(r'name="username"[^>]*>\s*agent</textarea>', page.text)
    again = fields(page)
    assert again["next"] == "/console/"
    assert again["csrfmiddlewaretoken"] not in {"", "a" * 32}


@pytest.mark.django_db
def test_a_form_of_another_site_is_not_sent_by_us(client: Client) -> None:
    with failing("SQLITE_CANTOPEN"):
        page = client.post(
            "/ask/", {"text": TYPED}, headers={"Sec-Fetch-Site": "cross-site"}
        )
    assert page.status_code == 503
    assert TYPED not in page.text


@pytest.mark.django_db
def test_files_have_to_be_chosen_again(client: Client) -> None:
    file = SimpleUploadedFile("截图.png", image())
    with failing("SQLITE_CANTOPEN"):
        page = client.post("/ask/", {"text": TYPED, "send": "1", "pictures": file})
    assert "文件请重新选择：截图.png" in page.text
    assert 'enctype="multipart/form-data"' in page.text


@pytest.mark.django_db
def test_an_import_on_a_full_disk_says_so(
    client: Client, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(editor)

    def full(data: bytes) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("kb.import_export.read.uploads.store_upload", full)
    page = upload(client, GOOD, source="我们的旧库")
    assert page.status_code == 503
    assert "服务器的磁盘已满" in page.text
    assert "我们的旧库" in page.text


@pytest.mark.django_db
def test_the_api_answers_in_json(client: Client) -> None:
    with failing("SQLITE_CANTOPEN"):
        answer = client.get("/api/v1/entries/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert answer.json()["code"] == "database_unreachable"


@pytest.mark.django_db
def test_customers_read_the_reason_in_the_script_of_the_page(client: Client) -> None:
    with failing("SQLITE_CANTOPEN"):
        pages = {code: client.get(f"/{code}/ask/") for code in ("zh-hant", "en")}
    assert "資料庫連不上" in pages["zh-hant"].text
    assert "The database cannot be reached" in pages["en"].text


@pytest.mark.django_db
def test_what_a_middleware_raises_is_answered_too(
    agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session is saved behind the view."""
    client = Client(raise_request_exception=False)
    client.force_login(agent)

    def fail(*args: Any) -> None:
        raise sqlite_error("SQLITE_FULL")

    middleware = "django.contrib.sessions.middleware.SessionMiddleware"
    monkeypatch.setattr(f"{middleware}.process_response", fail)
    page = client.post("/console/capture/", {"text": TYPED, "channel": "wechat"})
    assert page.status_code == 503
    assert "服务器的磁盘已满" in page.text
    assert TYPED in page.text


@pytest.mark.django_db
def test_an_error_of_the_program_stays_a_500(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise ValueError("ours")

    monkeypatch.setattr("kb.web.faq.ask_page.ask_form.make_form_stamp", fail)
    page = Client(raise_request_exception=False).get("/ask/")
    assert page.status_code == 500
    assert "出错了" in page.text


@pytest.mark.django_db
def test_a_constraint_that_could_not_be_checked_is_no_duplicate(
    client: Client, agent: User
) -> None:
    """Django takes an error of its query for a duplicate that it found."""
    client.force_login(agent)

    def fail(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "EXISTS" in sql and "_check" in sql:
            raise sqlite_error("SQLITE_BUSY")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        page = client.post("/console/capture/", {"text": TYPED, "channel": "wechat"})
    assert page.status_code == 503
    assert TYPED in page.text
    assert not Question.objects.exists()


@pytest.mark.django_db
def test_the_log_has_one_line_a_minute(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("kb.system.outages.monotonic", lambda: clock[0])
    with caplog.at_level(logging.WARNING), failing("SQLITE_CANTOPEN"):
        for _ in range(5):
            client.get("/ask/")
        clock[0] += outages.LOG_PAUSE_SECONDS
        client.get("/ask/")
    lines = [one for one in caplog.records if one.name != "kb.web.faq.view_decorators"]
    assert [one.name for one in lines] == ["kb.system.outages"] * 2
    assert not any(one.exc_info for one in lines)
    assert "4 more" in lines[1].getMessage()


# Real faults ----------------------------------------------------------------------


@ON_SQLITE
@pytest.mark.django_db(transaction=True)
def test_a_lock_that_is_held_is_waited_for_and_then_said(
    client: Client, make_entry: MakeEntry
) -> None:
    sent = vote_form(client, entry := make_entry()) | {"helpful": "yes"}
    connection.cursor().execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        other.execute("BEGIN IMMEDIATE")
        page = client.post(f"/vote/{entry.pk}/", sent)
        assert page.status_code == 503
        assert "数据库正忙" in page.text
    assert client.post(f"/vote/{entry.pk}/", sent).status_code == 200
    assert Vote.objects.count() == 1


@ON_SQLITE
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_met_an_error_is_dropped(
    client: Client, make_entry: MakeEntry
) -> None:
    """One that was opened on a read-only file would stay so for ever."""
    sent = vote_form(client, entry := make_entry()) | {"helpful": "yes"}
    connection.cursor().execute("PRAGMA query_only = ON")
    page = client.post(f"/vote/{entry.pk}/", sent)
    assert page.status_code == 503
    assert "数据库现在只读" in page.text
    connection.close_if_unusable_or_obsolete()  # as Django does before a request
    assert client.post(f"/vote/{entry.pk}/", sent).status_code == 200


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "full"), OutageReason.DISK_FULL),
        (OSError(errno.EROFS, "read-only"), OutageReason.READ_ONLY),
        (FileNotFoundError(errno.ENOENT, "gone"), None),
        (DatabaseReplacedError("gone"), OutageReason.REPLACED),
        (DatabaseTimeoutError("slow"), OutageReason.BUSY),
        (DatabaseUnavailableError("down"), OutageReason.UNREACHABLE),
        (sqlite_error("SQLITE_READONLY_DBMOVED"), OutageReason.READ_ONLY),
        (sqlite_error("SQLITE_IOERR_WRITE"), OutageReason.UNREACHABLE),
        (sqlite_error("SQLITE_CORRUPT"), OutageReason.DAMAGED),
        (sqlite_error("SQLITE_ERROR"), None),
        (ValueError("ours"), None),
    ],
)
def test_errors_have_their_reasons(
    error: Exception, reason: OutageReason | None
) -> None:
    assert find_outage_reason(error) is reason
    later = RuntimeError("later")
    later.__cause__ = error
    assert find_outage_reason(later) is reason
