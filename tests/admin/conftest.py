"""Fixtures of the tests of the admin."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from kb.models import User


@pytest.fixture
def root(make_user: Callable[..., User]) -> User:
    return make_user("root", is_staff=True, is_superuser=True)


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    """Return the test client with an editor logged in."""
    client.force_login(editor)
    return client
