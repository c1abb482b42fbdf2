"""Drafts and submitted entries at the desk."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kb.library import entries
from kb.models import Entry, User
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


def read(client: Client, address: str, **query: Any) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def read_messages(response: Any) -> str:
    """Return the messages on the page that follows `response`."""
    page = response.client.get(response.headers["Location"]).content.decode()
    return " ".join(re.findall(r'<li class="message[^"]*">(.*?)</li>', page, re.S))


def test_entries_in_review_are_listed_before_drafts(
    desk: Client, make_entry: MakeEntry
) -> None:
    for status in ("review", "draft", "published", "retired"):
        make_entry(f"{status} 的条目", status=status, replies=["话术正文"])
    page = read(desk, "/desk/drafts/")
    assert page.index("review 的条目") < page.index("draft 的条目")
    assert "published 的条目" not in page
    assert "retired 的条目" not in page
    assert "话术正文" in page
    only = read(desk, "/desk/drafts/", status="draft")
    assert "review 的条目" not in only


@pytest.mark.parametrize(
    ("status", "action", "becomes"),
    [
        ("draft", "publish", "published"),
        ("draft", "submit", "review"),
        ("review", "publish", "published"),
        ("review", "send-back", "draft"),
    ],
)
def test_drafts_change_their_status(
    desk: Client, make_entry: MakeEntry, status: str, action: str, becomes: str
) -> None:
    entry = make_entry(status=status)
    response = desk.post(reverse("desk:move", args=[entry.pk, action]))
    assert Entry.objects.get(pk=entry.pk).status == becomes
    assert entry.question in read_messages(response)


def test_draft_without_answer_is_not_published(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(status="draft", answer="")
    response = desk.post(reverse("desk:move", args=[entry.pk, "publish"]))
    assert f"「{entry}」没有 FAQ 答案" in read_messages(response)
    assert Entry.objects.get(pk=entry.pk).status == "draft"


def test_unknown_moves_return_404(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry(status="draft")
    assert desk.post(f"/desk/drafts/{entry.pk}/delete/").status_code == 404
    response = desk.post("/desk/drafts/999999999999999999999999/publish/")
    assert "已经不在了" in read_messages(response)


def test_invalid_page_numbers_show_a_page(desk: Client, make_entry: MakeEntry) -> None:
    make_entry(status="draft")
    for page in ("abc", "0", "-1", "9" * 30, "9" * 5000, "1.5", "\x00"):
        shown = read(desk, "/desk/drafts/", page=page, status=page)
        assert "退货运费谁承担？" in shown, page


def test_drafts_make_a_fixed_number_of_queries(
    desk: Client, make_entry: MakeEntry
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            read(desk, "/desk/drafts/")
        return len(captured)

    make_entry(status="draft", replies=["一"], phrasings=["二"])
    queries()  # fills the caches of the process
    few = queries()
    for number in range(15):
        make_entry(f"条目{number}", status="draft", replies=["一"], phrasings=["二"])
    assert queries() == few


def test_entry_published_meanwhile_shows_a_message(
    desk: Client, editor: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(status="draft")
    entries.publish_entry(entry, by=editor)
    response = desk.post(reverse("desk:move", args=[entry.pk, "submit"]))
    assert "现在是「已发布」" in read_messages(response)
