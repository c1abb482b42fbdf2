"""后续问题: what an editor says is asked next, in that order, to whom may read it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from kb.import_export import demo
from kb.library import entries
from kb.models import Entry, FollowUp, User
from kb.questions import practice
from tests.conftest import MakeEntry
from tests.test_admin import change, filled, where

pytestmark = pytest.mark.django_db


def follow(entry: Entry, *after: Entry) -> None:
    for order, then in enumerate(after):
        FollowUp.objects.create(entry=entry, then=then, order=order)


def test_they_stand_in_the_editors_order(make_entry: MakeEntry, agent: User) -> None:
    first, second, third = (make_entry(f"问题{n}？") for n in "一二三")
    follow(first, third, second)
    shown = Entry.objects.published_to(agent).follow_ups_of(first)
    assert list(shown) == [third, second]
    assert list(Entry.objects.published_to(agent).follow_ups_of(second)) == []


def test_a_reader_meets_only_what_he_may_read(
    make_entry: MakeEntry, agent: User, editor: User
) -> None:
    entry, public = make_entry(), make_entry("公开？")
    internal = make_entry("内部？", audience="internal")
    draft, retired = make_entry("草稿？", status="draft"), make_entry("下线？")
    entries.retire_entry(retired, by=None)
    follow(entry, draft, internal, retired, public)
    for reader, seen in (
        (AnonymousUser(), [public]),
        (agent, [internal, public]),
        (editor, [internal, public]),
    ):
        found = Entry.objects.published_to(reader).follow_ups_of(entry)
        assert list(found) == seen, reader


def test_an_entry_does_not_follow_itself(make_entry: MakeEntry) -> None:
    entry = make_entry()
    with pytest.raises(ValidationError, match="不能是条目自己"):
        FollowUp(entry=entry, then=entry).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        FollowUp.objects.create(entry=entry, then=entry)


def test_nothing_follows_twice(make_entry: MakeEntry) -> None:
    entry, other = make_entry(), make_entry("另一个？")
    follow(entry, other)
    follow(other, entry)  # the other way round is another matter
    with pytest.raises(ValidationError, match="已经是后续问题"):
        FollowUp(entry=entry, then=other).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        follow(entry, other)


def test_the_demo_library_has_them_and_questions_to_practise_on(agent: User) -> None:
    demo.load_demo_library()
    assert practice.list_practice_questions(agent).count() >= 100
    asked = practice.choose_next_question(agent).question
    assert asked is not None
    assert asked.entry is not None
    for follow in FollowUp.objects.select_related("entry", "then"):
        assert follow.entry.is_visible_to(agent), follow.entry
        assert follow.then.is_visible_to(agent), follow.then
    assert FollowUp.objects.count() >= 40


# On the form of an entry ----------------------------------------------------------


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def rows(*after: Entry | str) -> dict[str, Any]:
    sent: dict[str, Any] = {"follow_ups-TOTAL_FORMS": len(after)}
    for at, then in enumerate(after):
        sent[f"follow_ups-{at}-then"] = then.pk if isinstance(then, Entry) else then
        sent[f"follow_ups-{at}-order"] = at
    return sent


def test_an_editor_keeps_them_with_the_entry(
    desk: Client, make_entry: MakeEntry, editor: User
) -> None:
    entry, one, two = (make_entry(f"问题{n}？") for n in "一二三")
    assert change(desk, entry, **rows(two, one)).status_code == 302
    assert list(Entry.objects.visible_to(editor).follow_ups_of(entry)) == [two, one]
    gone = {"follow_ups-0-DELETE": "on"}
    assert change(desk, entry, **gone).status_code == 302
    assert list(Entry.objects.visible_to(editor).follow_ups_of(entry)) == [one]


def test_a_new_entry_may_have_them_at_once(desk: Client, make_entry: MakeEntry) -> None:
    other = make_entry("另一个？")
    data = filled(desk, "/admin/kb/entry/add/") | rows(other)
    typed = {"question": "怎么开发票？", "answer": "点开发票。", "audience": "public"}
    assert desk.post("/admin/kb/entry/add/", {**data, **typed}).status_code == 302
    assert FollowUp.objects.get().then == other


@pytest.mark.parametrize("forged", ["", "x", "-1", "999999", "9" * 18, "1 OR 1=1"])
def test_what_is_no_entry_is_refused_with_a_reason(
    desk: Client, make_entry: MakeEntry, forged: str
) -> None:
    entry = make_entry()
    sent = rows(forged) | {"follow_ups-0-order": "3", "answer": "改了"}
    page = change(desk, entry, **sent)
    assert page.status_code == 200
    assert "errorlist" in page.text
    assert not FollowUp.objects.exists()
    entry.refresh_from_db()
    assert entry.version == 2


def test_itself_and_the_same_twice_are_refused_in_words(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry, other = make_entry(), make_entry("另一个？")
    assert "不能是条目自己" in change(desk, entry, **rows(entry)).text
    assert "同一个条目只能列一次" in change(desk, entry, **rows(other, other)).text
    assert not FollowUp.objects.exists()


def test_forms_that_are_only_claimed_are_not_made(
    desk: Client, make_entry: MakeEntry
) -> None:
    response = change(desk, make_entry(), **{"follow_ups-TOTAL_FORMS": "99999"})
    inline = response.context["inline_admin_formsets"][-1]
    assert len(inline.formset.forms) <= 60


def test_the_form_looks_entries_up_and_lists_none_of_them(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry, other = make_entry(), make_entry("一个从不列出的问题？")
    assert other.question not in desk.get(where(entry)).text
    found = desk.get(
        "/admin/autocomplete/",
        {
            "term": "从不列出",
            "app_label": "kb",
            "model_name": "followup",
            "field_name": "then",
        },
    ).json()
    assert [row["id"] for row in found["results"]] == [str(other.pk)]
