"""后续问题: entries that are asked next, in the order of the editors."""

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
from tests.admin_forms import get_change_url as where
from tests.admin_forms import post_change as change
from tests.admin_forms import read_form as filled
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


def add_follow_ups(entry: Entry, *after: Entry) -> None:
    for order, then in enumerate(after):
        FollowUp.objects.create(entry=entry, then=then, order=order)


def test_follow_ups_have_the_editors_order(make_entry: MakeEntry, agent: User) -> None:
    first, second, third = (make_entry(f"问题{n}？") for n in "一二三")
    add_follow_ups(first, third, second)
    shown = Entry.objects.published_to(agent).follow_ups_of(first)
    assert list(shown) == [third, second]
    assert list(Entry.objects.published_to(agent).follow_ups_of(second)) == []


def test_readers_get_readable_entries_only(
    make_entry: MakeEntry, agent: User, editor: User
) -> None:
    entry, public = make_entry(), make_entry("公开？")
    internal = make_entry("内部？", audience="internal")
    draft, retired = make_entry("草稿？", status="draft"), make_entry("下线？")
    entries.retire_entry(retired, by=None)
    add_follow_ups(entry, draft, internal, retired, public)
    for reader, seen in (
        (AnonymousUser(), [public]),
        (agent, [internal, public]),
        (editor, [internal, public]),
    ):
        found = Entry.objects.published_to(reader).follow_ups_of(entry)
        assert list(found) == seen, reader


def test_entry_cannot_follow_itself(make_entry: MakeEntry) -> None:
    entry = make_entry()
    with pytest.raises(ValidationError, match="不能是条目自己"):
        FollowUp(entry=entry, then=entry).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        FollowUp.objects.create(entry=entry, then=entry)


def test_follow_up_is_unique(make_entry: MakeEntry) -> None:
    entry, other = make_entry(), make_entry("另一个？")
    add_follow_ups(entry, other)
    add_follow_ups(other, entry)  # the other way round is another matter
    with pytest.raises(ValidationError, match="已经是后续问题"):
        FollowUp(entry=entry, then=other).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        add_follow_ups(entry, other)


def test_demo_library_has_follow_ups_and_practice_questions(agent: User) -> None:
    demo.load_demo_library()
    assert practice.list_practice_questions(agent).count() >= 100
    question = practice.choose_next_question(agent).question
    assert question is not None
    assert question.entry is not None
    for follow in FollowUp.objects.select_related("entry", "then"):
        assert follow.entry.is_visible_to(agent), follow.entry
        assert follow.then.is_visible_to(agent), follow.then
    assert FollowUp.objects.count() >= 40


# On the form of an entry ----------------------------------------------------------


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def build_formset(*after: Entry | str) -> dict[str, Any]:
    sent: dict[str, Any] = {"follow_ups-TOTAL_FORMS": len(after)}
    for at, then in enumerate(after):
        sent[f"follow_ups-{at}-then"] = then.pk if isinstance(then, Entry) else then
        sent[f"follow_ups-{at}-order"] = at
    return sent


def test_editor_saves_follow_ups_with_the_entry(
    desk: Client, make_entry: MakeEntry, editor: User
) -> None:
    entry, one, two = (make_entry(f"问题{n}？") for n in "一二三")
    assert change(desk, entry, **build_formset(two, one)).status_code == 302
    assert list(Entry.objects.visible_to(editor).follow_ups_of(entry)) == [two, one]
    gone = {"follow_ups-0-DELETE": "on"}
    assert change(desk, entry, **gone).status_code == 302
    assert list(Entry.objects.visible_to(editor).follow_ups_of(entry)) == [one]


def test_new_entry_can_have_follow_ups(desk: Client, make_entry: MakeEntry) -> None:
    other = make_entry("另一个？")
    data = filled(desk, "/admin/kb/entry/add/") | build_formset(other)
    typed = {"question": "怎么开发票？", "answer": "点开发票。", "audience": "public"}
    assert desk.post("/admin/kb/entry/add/", {**data, **typed}).status_code == 302
    assert FollowUp.objects.get().then == other


@pytest.mark.parametrize("forged", ["", "x", "-1", "999999", "9" * 18, "1 OR 1=1"])
def test_unknown_follow_up_is_refused_with_a_reason(
    desk: Client, make_entry: MakeEntry, forged: str
) -> None:
    entry = make_entry()
    sent = build_formset(forged) | {"follow_ups-0-order": "3", "answer": "改了"}
    page = change(desk, entry, **sent)
    assert page.status_code == 200
    assert "errorlist" in page.text
    assert not FollowUp.objects.exists()
    entry.refresh_from_db()
    assert entry.version == 2


def test_self_and_duplicate_follow_ups_are_refused_with_a_message(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry, other = make_entry(), make_entry("另一个？")
    assert "不能是条目自己" in change(desk, entry, **build_formset(entry)).text
    assert (
        "同一个条目只能列一次"
        in change(desk, entry, **build_formset(other, other)).text
    )
    assert not FollowUp.objects.exists()


def test_forged_form_count_creates_no_forms(
    desk: Client, make_entry: MakeEntry
) -> None:
    response = change(desk, make_entry(), **{"follow_ups-TOTAL_FORMS": "99999"})
    inline = response.context["inline_admin_formsets"][-1]
    assert len(inline.formset.forms) <= 60


def test_form_searches_entries_and_lists_none(
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
