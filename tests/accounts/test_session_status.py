"""A page can ask who is signed in and get a CSRF token that is valid now."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from kb.models import User

pytestmark = pytest.mark.django_db
STATUS = reverse("session")


def test_an_anonymous_visitor_is_not_signed_in(client: Client) -> None:
    response = client.get(STATUS)
    assert response.json()["user"] == ""
    assert "no-store" in response.headers["Cache-Control"]
    assert client.post(STATUS).status_code == 405


def test_the_token_is_valid_after_signing_in(agent: User) -> None:
    client = Client(enforce_csrf_checks=True)
    token = client.get(STATUS).json()["token"]
    sent = {"username": agent.username, "password": "一壶好茶 2026", "next": STATUS}
    response = client.post(
        reverse("login"), {**sent, "csrfmiddlewaretoken": token}, follow=True
    )
    session = response.json()
    assert session["user"] == str(agent.pk)
    new = {"title": "一", "body": "一", "tone": "standard"}
    address = reverse("console:own-reply-new")
    stale = client.post(address, {**new, "csrfmiddlewaretoken": token})
    assert stale.status_code == 403
    fresh = client.post(address, {**new, "csrfmiddlewaretoken": session["token"]})
    assert fresh.status_code == 302
