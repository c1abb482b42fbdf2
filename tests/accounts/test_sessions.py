"""A session ends hours after its last use, and a GET seldom writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kb.accounts import sessions
from kb.models import User

HOUR = timedelta(hours=1)


@pytest.fixture
def at_work(client: Client, agent: User) -> Client:
    client.force_login(agent)
    assert client.get("/console/").status_code == 200
    return client


@pytest.fixture
def hours_ago(at_work: Client) -> Callable[[float], None]:
    """Return a function that makes the session as old as if that time had passed."""

    def age(hours: float) -> None:
        session = at_work.session
        session[sessions.RENEWED_AT_KEY] = int(time.time() - hours * 3600)
        session.save()
        ends_at = timezone.now() + timedelta(hours=8 - hours)
        Session.objects.update(expire_date=ends_at)

    return age


def hours_left() -> float:
    return (Session.objects.get().expire_date - timezone.now()) / HOUR


def test_work_moves_the_end_of_the_session(
    at_work: Client, hours_ago: Callable[[float], None]
) -> None:
    hours_ago(7)
    assert hours_left() < 1.1
    response = at_work.get("/console/")
    assert response.status_code == 200
    assert hours_left() > 7.9
    cookie = response.cookies[site.SESSION_COOKIE_NAME]
    assert cookie["max-age"] == site.SESSION_COOKIE_AGE
    hours_ago(7)
    assert at_work.get("/console/").status_code == 200


def test_who_did_nothing_for_eight_hours_is_out(
    at_work: Client, hours_ago: Callable[[float], None]
) -> None:
    hours_ago(8.1)
    assert at_work.get("/console/").status_code == 302


def test_a_page_within_the_hour_writes_nothing(
    at_work: Client, hours_ago: Callable[[float], None]
) -> None:
    hours_ago(0.9)
    with CaptureQueriesContext(connection) as captured:
        response = at_work.get("/console/")
    assert site.SESSION_COOKIE_NAME not in response.cookies
    verbs = {query["sql"].split()[0] for query in captured}
    assert verbs <= {"SELECT", "WITH"}


def test_a_session_of_before_and_one_of_the_future_are_renewed(
    at_work: Client, hours_ago: Callable[[float], None]
) -> None:
    hours_ago(-30)  # the clock was set back
    Session.objects.update(expire_date=timezone.now() + HOUR)
    at_work.get("/console/")
    assert hours_left() > 7.9
    session = at_work.session
    del session[sessions.RENEWED_AT_KEY]
    session.save()
    Session.objects.update(expire_date=timezone.now() + HOUR)
    at_work.get("/console/")
    assert hours_left() > 7.9


def test_a_failed_renewal_does_not_break_the_page(
    at_work: Client,
    hours_ago: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hours_ago(2)
    real, fails = SessionMiddleware.process_response, [True]

    def locked(self: Any, request: Any, response: Any) -> Any:
        if request.session.modified and fails.pop():
            raise DatabaseError("database is locked")
        return real(self, request, response)

    monkeypatch.setattr(SessionMiddleware, "process_response", locked)
    assert at_work.get("/console/").status_code == 200
    assert hours_left() < 7
    fails.append(False)
    assert at_work.get("/console/").status_code == 200
    assert hours_left() > 7.9


def test_strangers_get_no_session(client: Client, db: None) -> None:
    assert client.get("/").cookies == {}
    assert not Session.objects.exists()
