"""Autosaves: stored per user, offered again, deleted once the entry is saved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb.library import autosave, entries
from kb.models import Autosave, Entry, User
from tests.admin_forms import get_change_url as where
from tests.admin_forms import get_form_values as shown
from tests.admin_forms import read_form as filled
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
KEEP, DROP, NEW = (
    reverse(f"admin:kb_entry_{name}") for name in ("keep", "drop", "add")
)


@pytest.fixture
def desk(client: Client, lead: User) -> Client:
    client.force_login(lead)
    return client


def post_autosave(
    client: Client, address: str, entry: Entry | None = None, **typed: Any
) -> Any:
    """Post the form at `address` as the page does while the user types."""
    fields = {**filled(client, address), **typed, "_entry": entry.pk if entry else ""}
    response = client.post(KEEP, fields)
    assert response.status_code == 200, response.content
    return response.json()


def test_autosave_stores_the_form_and_does_not_change_the_entry(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["话术"])
    saved = post_autosave(desk, where(entry), entry, answer="没写完的")
    post_autosave(desk, where(entry), entry, answer="没写完的二")
    assert Autosave.objects.count() == 1
    assert saved["id"] == Autosave.objects.get().pk
    before = entry.answer
    entry.refresh_from_db()
    assert (entry.answer, entry.version) == (before, entry.version)
    page = desk.get(where(entry)).content.decode()
    assert "在这里写过，没有保存" in page
    assert "没写完的" not in page


def test_autosave_is_offered_again_and_published_only_by_saving(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["话术"], phrasings=["一"])
    typed = {"answer": "没写完的", "replies-0-body": "改过的", "phrasings": "一\n二"}
    saved = post_autosave(desk, where(entry), entry, **typed)
    response = desk.post(where(entry), {"_restore": saved["id"]})
    assert response.status_code == 200
    again = shown(response)
    assert {name: again[name] for name in typed} == typed
    entry.refresh_from_db()
    assert entry.answer != "没写完的"
    assert desk.post(where(entry), again).status_code == 302
    entry.refresh_from_db()
    assert entry.answer == "没写完的"
    assert entry.replies.get().body == "改过的"
    assert not Autosave.objects.exists()


def test_autosave_of_an_old_version_is_a_conflict(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    saved = post_autosave(desk, where(entry), entry, answer="没写完的")
    entries.update_entry(entry, by=None, based_on=entry.version, answer="别人写的")
    response = desk.post(where(entry), {"_restore": saved["id"]})
    assert response.context["conflict"].choices[0].theirs == "别人写的"


def test_autosaves_of_new_entries_are_separate(desk: Client) -> None:
    one = post_autosave(desk, NEW, question="第一个")
    post_autosave(desk, NEW, question="第一个，长了", _unsaved=one["id"])
    other = post_autosave(desk, NEW, question="第二个")
    assert Autosave.objects.count() == 2
    page = desk.get(NEW).content.decode()
    assert "第一个，长了" in page
    assert "第二个" in page
    response = desk.post(NEW, {"_restore": one["id"]})
    again = shown(response) | {"_unsaved": one["id"]}
    assert again["question"] == "第一个，长了"
    assert desk.post(NEW, again).status_code == 302
    assert [row.pk for row in Autosave.objects.all()] == [other["id"]]
    assert Entry.objects.count() == 1


def test_autosave_is_deleted_on_request(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry()
    saved = post_autosave(desk, where(entry), entry, answer="没写完的")
    assert desk.post(DROP, {"drop": saved["id"]}).headers["Location"] == where(entry)
    assert not Autosave.objects.exists()
    assert desk.post(DROP, {"drop": "x"}).status_code == 302


def test_autosaves_are_visible_to_their_author_only(
    desk: Client, editor: User, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    saved = post_autosave(desk, where(entry), entry, answer="只有我知道")
    other = Client()
    other.force_login(editor)
    restored = other.post(where(entry), {"_restore": saved["id"]}, follow=True)
    for response in (other.get(where(entry)), restored, other.get(NEW)):
        page = response.content.decode()
        assert "只有我知道" not in page
        assert "在这里写过，没有保存" not in page
    other.post(DROP, {"drop": saved["id"]})
    assert Autosave.objects.count() == 1
    post_autosave(other, where(entry), entry, answer="别人的")
    assert Autosave.objects.count() == 2


def test_invalid_autosave_is_refused_and_the_form_still_saves(
    desk: Client, agent: User, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    response = desk.post(KEEP, {"_entry": entry.pk, "answer": "长" * 400_001})
    assert response.json()["error"] == "内容太长，没有暂存。"
    assert desk.post(KEEP, {"_entry": "99999"}).status_code == 400
    body = urlencode({"_entry": "", "question": "\x00\ud800x"}, errors="replace")
    form = "application/x-www-form-urlencoded"
    assert desk.post(KEEP, body, content_type=form).status_code == 200
    client = Client()
    assert client.post(KEEP).status_code == 302
    client.force_login(agent)
    assert client.post(KEEP, {"question": "x"}).status_code in {302, 403}


def test_old_and_surplus_autosaves_are_deleted(lead: User) -> None:
    for number in range(autosave.MAX_NEW_ENTRY_AUTOSAVES + 3):
        autosave.save_form_fields([("question", str(number))], entry=None, by=lead)
    assert Autosave.objects.count() == autosave.MAX_NEW_ENTRY_AUTOSAVES
    Autosave.objects.update(at=timezone.now() - timedelta(days=31))
    autosave.save_form_fields([("question", "新")], entry=None, by=lead)
    assert [row.title for row in Autosave.objects.all()] == ["新"]
