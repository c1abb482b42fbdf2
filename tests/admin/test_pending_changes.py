"""The form of an entry with a pending change: shown without writing, saved to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kb.library import entries
from kb.models import ROLE_WRITER, Entry, Review, Tag, User
from tests.admin_forms import post_change, read_form
from tests.conftest import MakeEntry
from tests.test_get_writes_nothing import is_read

pytestmark = pytest.mark.django_db


@pytest.fixture
def writer(make_user: Callable[..., User]) -> User:
    return make_user("writer", ROLE_WRITER, is_staff=True)


@pytest.fixture
def desk(client: Client, writer: User) -> Client:
    client.force_login(writer)
    return client


def address(entry: Entry) -> str:
    return reverse("admin:kb_entry_change", args=[entry.pk])


@pytest.fixture
def pending(make_entry: MakeEntry, writer: User) -> Review:
    """Return a pending change of every part of a published entry."""
    before, after = Tag.objects.create(name="旧标签"), Tag.objects.create(name="新标签")
    next_one, next_two = make_entry("然后呢？"), make_entry("再然后呢？")
    entry = make_entry(replies=["亲，旧", "要删的"], phrasings=["老问法"])
    entry.tags.set([before])
    entry.follow_ups.create(then=next_one)
    content = entries.take_snapshot(entry)
    kept_reply = content["replies"][0] | {"body": "亲，新"}
    new_reply = kept_reply | {"id": 0, "label": "新的", "body": "第二条", "order": 1}
    return entries.propose_change(
        entry,
        content
        | {
            "answer": "待审核的答案",
            "phrasings": ["老问法", "新问法"],
            "tags": [after.name],
            "replies": [kept_reply, new_reply],
            "follow_ups": [next_two.pk, next_one.pk],
        },
        by=writer,
    )


def statements(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in queries]


def test_opening_the_form_writes_nothing_and_opens_no_transaction(
    desk: Client, make_entry: MakeEntry, pending: Review
) -> None:
    for entry in (make_entry("没有待审核修改的？"), pending.entry):
        sql = statements(desk, address(entry))
        assert [row for row in sql if not is_read(row)] == []


def test_form_shows_the_whole_pending_change(desk: Client, pending: Review) -> None:
    entry = pending.entry
    form = read_form(desk, address(entry))
    assert form["answer"] == "待审核的答案"
    assert form["phrasings"] == "老问法\n新问法"
    assert [form["replies-0-body"], form["replies-1-body"]] == ["亲，新", "第二条"]
    assert form["replies-TOTAL_FORMS"] == 2
    targets = [form["follow_ups-0-then"], form["follow_ups-1-then"]]
    assert [int(pk) for pk in targets] == (pending.content or {})["follow_ups"]
    page = desk.get(address(entry)).text
    assert re.search(r'<option value="\d+" selected>新标签', page)
    assert not re.search(r'<option value="\d+" selected>旧标签', page)
    entry.refresh_from_db()
    assert entry.answer != "待审核的答案"
    assert {reply.body for reply in entry.replies.all()} == {"亲，旧", "要删的"}


def test_saving_updates_the_pending_change(
    desk: Client, pending: Review, lead: User
) -> None:
    before: Any = pending.content
    post_change(desk, pending.entry, **{"replies-1-body": "第二条，改好"})
    pending.refresh_from_db()
    after: Any = pending.content
    assert pending.edition == 2
    for name in ("answer", "phrasings", "tags", "follow_ups"):
        assert after[name] == before[name], name
    assert [row["id"] for row in after["replies"]] == [
        row["id"] for row in before["replies"]
    ]
    entry = entries.approve_review(pending, by=lead)
    assert [reply.body for reply in entry.replies.all()] == ["亲，新", "第二条，改好"]
    assert (
        list(entry.follow_ups.values_list("then_id", flat=True)) == after["follow_ups"]
    )


def test_a_preview_of_bulk_moves_writes_nothing(
    client: Client, lead: User, make_entry: MakeEntry
) -> None:
    client.force_login(lead)
    ready, silent = make_entry(status="draft"), make_entry("没有答案？", "", "draft")
    chosen = {"action": "publish", "_selected_action": [ready.pk, silent.pk]}
    with CaptureQueriesContext(connection) as queries:
        page = client.post(reverse("admin:kb_entry_changelist"), chosen)
    assert page.context["ready"] == [ready]
    assert [entry for entry, _ in page.context["refused"]] == [silent]
    assert [q["sql"] for q in queries if not is_read(q["sql"])] == []
