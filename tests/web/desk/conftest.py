"""Fixtures of the tests of the desk."""

from __future__ import annotations

import pytest
from django.test import Client

from kb.models import User


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    """Return the test client with an editor logged in."""
    client.force_login(editor)
    return client
