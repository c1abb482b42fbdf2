"""Role × action: every address of desk and admin has a row that says who gets in.

In matrix.tsv a row is an address, what GET answers and what POST answers, a sign
for each role: L is sent to the login, - is refused (403), . is told that there is no
such thing, + gets in, whatever the page says of what was sent. An address without a row fails, and so does a row
that is not true; the message holds the rows as they would be right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from kb.library import entries
from kb.models import (
    ROLE_AGENT,
    ROLE_EDITOR,
    ROLE_LEAD,
    ROLE_WRITER,
    Category,
    CategoryPermission,
    Entry,
    EntryRevision,
    Review,
    User,
)
from tests.conftest import MakeEntry
from tests.test_leaks import addresses, filled

pytestmark = pytest.mark.django_db
ROLES = ("anonymous", "agent", "writer", "editor", "outsider", "lead", "root")
TABLE = Path(__file__).parent / "matrix.tsv"
DOORS = ("desk:", "admin:")


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    """Return a published entry, in the branch where the outsider has no business."""
    return make_entry(category=Category.objects.create(name="售后"))


@pytest.fixture
def roles(make_user: Callable[..., User], entry: Entry) -> dict[str, Client]:
    """Return the client of each role; an outsider is an editor of another branch."""
    people = {
        "agent": make_user("agent", ROLE_AGENT),
        "writer": make_user("writer", ROLE_WRITER, is_staff=True),
        "editor": make_user("editor", ROLE_EDITOR, is_staff=True),
        "outsider": make_user("outsider", ROLE_EDITOR, is_staff=True),
        "lead": make_user("lead", ROLE_LEAD, is_staff=True),
        "root": make_user("root", is_staff=True, is_superuser=True),
    }
    other = Category.objects.create(name="售前")
    for right in ("write", "publish"):
        CategoryPermission.objects.create(
            user=people["outsider"], category=other, right=right
        )
    clients = {role: Client(raise_request_exception=False) for role in ROLES}
    for role, user in people.items():
        clients[role].force_login(user)
    return clients


def doors(pk: int) -> Iterator[tuple[str, str]]:
    """Yield (name, address) of all that stands behind desk and admin."""
    seen = set()
    for name, _, route, parts in addresses():
        if name.startswith(DOORS) and name.split(":")[1] != "None":
            url = next(filled(name, parts, pk), None)
            assert url, f"{name} at {route}: no address can be made"
            if name not in seen:
                seen.add(name)
                yield name, url


def sign(client: Client, method: str, url: str, data: dict[str, Any]) -> str:
    """Return what a role gets; nothing that it does lasts."""
    cookies = SimpleCookie(client.cookies)
    with transaction.atomic():
        response = getattr(client, method)(url, data)
        transaction.set_rollback(True)
    client.cookies = cookies  # it may have logged out
    where = response.headers.get("Location", "")
    if where.startswith(("/login/", "/admin/login/")):
        return "L"
    if where == "/admin/":  # the admin says so before it asks who one is
        return "."
    assert response.status_code < 500, (method, url)
    return "-" if response.status_code == 403 else "+"


def read_table() -> dict[str, tuple[str, str]]:
    rows = (line.split("\t") for line in TABLE.read_text("utf-8").splitlines())
    return {name: (get, post) for name, get, post in rows}


def test_every_address_lets_in_who_its_row_says(
    roles: dict[str, Client], entry: Entry
) -> None:
    wanted, found = read_table(), {}
    for name, url in doors(entry.pk):
        found[name] = (
            "".join(sign(roles[role], "get", url, {}) for role in ROLES),
            "".join(sign(roles[role], "post", url, {}) for role in ROLES),
        )
    rows = ["\t".join((name, *found[name])) for name in sorted(found)]
    wrong = [
        row
        for row in rows
        if wanted.get(row.split("\t")[0]) != found[row.split("\t")[0]]
    ]
    assert not wrong, "\n".join(["these rows of matrix.tsv are not so:", *wrong])
    assert wanted.keys() == found.keys(), "rows without an address"


def test_strangers_get_nowhere_and_agents_to_no_page_of_editors() -> None:
    """What no row may ever say, whoever writes it."""
    for name, (get, post) in read_table().items():
        if name not in {"admin:logout", "desk:home"}:  # which lead on
            assert get[0] == post[0] == "L", name
        if name.startswith("admin:kb_"):
            assert "+" not in get[1] + post[1], name


# What an address does by what is sent ---------------------------------------------------


def test_a_verdict_is_for_who_may_publish_here(
    roles: dict[str, Client], entry: Entry
) -> None:
    said = entries.take_snapshot(entry) | {"answer": "新的答案。"}
    review = entries.propose_change(entry, said, by=None)
    draft = entries.create_draft(
        "草稿？", by=None, answer="答", category=entry.category
    )
    first = entry.revisions.get(version=1)
    acts: dict[str, tuple[str, dict[str, Any], Callable[[], bool]]] = {
        "approve": (
            reverse("desk:judge-review", args=[review.pk]),
            {"do": "approve", "seen": review.version_stamp},
            lambda: Review.objects.filter(pk=review.pk, state="approved").exists(),
        ),
        "return": (
            reverse("desk:judge-review", args=[review.pk]),
            {"do": "return", "words": "不对"},
            lambda: Review.objects.filter(pk=review.pk, state="returned").exists(),
        ),
        "publish": (
            reverse("desk:move", args=[draft.pk, "publish"]),
            {},
            lambda: Entry.objects.filter(pk=draft.pk, status="published").exists(),
        ),
        "retire": (
            reverse("admin:kb_entry_changelist"),
            {"action": "retire", "_selected_action": [entry.pk], "post": "yes"},
            lambda: Entry.objects.filter(pk=entry.pk, status="retired").exists(),
        ),
        "restore": (
            reverse("desk:restore", args=[entry.pk]),
            {"version": first.version, "based_on": entry.version},
            lambda: EntryRevision.objects.filter(entry=entry, act="reverted").exists(),
        ),
    }
    for name, (url, data, done) in acts.items():
        did = []
        for role in ROLES:
            with transaction.atomic():
                roles[role].post(url, data)
                if done():
                    did.append(role)
                transaction.set_rollback(True)
        assert did == ["editor", "lead", "root"], name
