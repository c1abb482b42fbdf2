"""What is typed is kept for its writer alone, offered to him, and gone once saved."""

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
from tests.conftest import MakeEntry
from tests.test_admin import filled, where
from tests.test_conflict import shown

pytestmark = pytest.mark.django_db
KEEP, DROP, NEW = (
    reverse(f"admin:kb_entry_{name}") for name in ("keep", "drop", "add")
)


@pytest.fixture
def desk(client: Client, lead: User) -> Client:
    client.force_login(lead)
    return client


def keep(client: Client, address: str, entry: Entry | None = None, **typed: Any) -> Any:
    """Send the form at `address` as the page does while somebody writes."""
    fields = {**filled(client, address), **typed, "_entry": entry.pk if entry else ""}
    response = client.post(KEEP, fields)
    assert response.status_code == 200, response.content
    return response.json()


def test_what_is_typed_is_kept_and_changes_nothing(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["话术"])
    told = keep(desk, where(entry), entry, answer="没写完的")
    keep(desk, where(entry), entry, answer="没写完的二")
    assert Autosave.objects.count() == 1
    assert told["id"] == Autosave.objects.get().pk
    before = entry.answer
    entry.refresh_from_db()
    assert (entry.answer, entry.version) == (before, entry.version)
    page = desk.get(where(entry)).content.decode()
    assert "在这里写过，没有保存" in page
    assert "没写完的" not in page


def test_it_is_shown_again_and_only_saved_by_saving(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["话术"], phrasings=["一"])
    typed = {"answer": "没写完的", "replies-0-body": "改过的", "phrasings": "一\n二"}
    told = keep(desk, where(entry), entry, **typed)
    response = desk.post(where(entry), {"_restore": told["id"]})
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


def test_what_was_kept_before_another_saved_comes_back_as_a_conflict(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    told = keep(desk, where(entry), entry, answer="没写完的")
    entries.update_entry(entry, by=None, based_on=entry.version, answer="别人写的")
    response = desk.post(where(entry), {"_restore": told["id"]})
    assert response.context["conflict"].choices[0].theirs == "别人写的"


def test_new_entries_are_kept_apart(desk: Client) -> None:
    one = keep(desk, NEW, question="第一个")
    keep(desk, NEW, question="第一个，长了", _unsaved=one["id"])
    other = keep(desk, NEW, question="第二个")
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


def test_it_is_dropped_on_demand(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry()
    told = keep(desk, where(entry), entry, answer="没写完的")
    assert desk.post(DROP, {"drop": told["id"]}).headers["Location"] == where(entry)
    assert not Autosave.objects.exists()
    assert desk.post(DROP, {"drop": "x"}).status_code == 302


def test_nobody_meets_what_another_has_not_saved(
    desk: Client, editor: User, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    told = keep(desk, where(entry), entry, answer="只有我知道")
    other = Client()
    other.force_login(editor)
    restored = other.post(where(entry), {"_restore": told["id"]}, follow=True)
    for response in (other.get(where(entry)), restored, other.get(NEW)):
        page = response.content.decode()
        assert "只有我知道" not in page
        assert "在这里写过，没有保存" not in page
    other.post(DROP, {"drop": told["id"]})
    assert Autosave.objects.count() == 1
    keep(other, where(entry), entry, answer="别人的")
    assert Autosave.objects.count() == 2


def test_what_is_wrong_is_refused_and_stops_nobody(
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


def test_what_is_old_or_too_much_goes(lead: User) -> None:
    for number in range(autosave.MAX_NEW_ENTRY_AUTOSAVES + 3):
        autosave.save_form_fields([("question", str(number))], entry=None, by=lead)
    assert Autosave.objects.count() == autosave.MAX_NEW_ENTRY_AUTOSAVES
    Autosave.objects.update(at=timezone.now() - timedelta(days=31))
    autosave.save_form_fields([("question", "新")], entry=None, by=lead)
    assert [row.title for row in Autosave.objects.all()] == ["新"]
