"""Two people at one entry: nothing of either is lost, what clashes is chosen."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from kb.library import entries
from kb.models import Category, Entry, FollowUp, Reply, Tag, User
from tests.conftest import MakeEntry
from tests.test_admin import filled, where

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, lead: User) -> Client:
    client.force_login(lead)
    return client


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry(
        "怎么退货",
        answer="先申请。\n\n再寄回。",
        replies=["亲，请申请", "亲，请寄回"],
        phrasings=["能退吗", "退货"],
    )


def theirs(desk: Client, entry: Entry, **typed: Any) -> None:
    """Save the form as somebody else does who came first."""
    response = desk.post(where(entry), {**filled(desk, where(entry)), **typed})
    assert response.status_code == 302, response.context["errors"]


def shown(response: Any) -> dict[str, Any]:
    """Return what the form on the page would send now."""
    context = response.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    values = {field.html_name: field.value() for form in forms for field in form}
    values["tags"] = values.get("tags") or []
    return {name: "" if value is None else value for name, value in values.items()}


def choices(response: Any) -> list[str]:
    conflict = response.context["conflict"]
    return [one.name for one in conflict.choices] if conflict else []


def bodies(entry: Entry) -> list[str]:
    return list(entry.replies.values_list("body", flat=True))


def test_what_only_one_of_them_changed_is_joined(desk: Client, entry: Entry) -> None:
    mine = filled(desk, where(entry))
    shelf = Category.objects.create(name="售后")
    theirs(desk, entry, answer="先申请。\n\n再寄回，要保价。", category=shelf.pk)
    response = desk.post(where(entry), {**mine, "question": "退货怎么办"})
    assert choices(response) == []
    assert "两边改的地方不同" in response.content.decode()
    assert desk.post(where(entry), shown(response)).status_code == 302
    entry.refresh_from_db()
    assert (entry.question, entry.category) == ("退货怎么办", shelf)
    assert entry.answer == "先申请。\n\n再寄回，要保价。"


def test_what_both_changed_is_told_word_by_word_and_chosen(
    desk: Client, entry: Entry
) -> None:
    mine = filled(desk, where(entry))
    theirs(desk, entry, answer="先打电话。\n\n再寄回。", keywords="th")
    response = desk.post(
        where(entry), {**mine, "answer": "先联系客服。\n\n再寄回。", "keywords": "tk"}
    )
    assert choices(response) == ["answer", "keywords"]
    page = response.content.decode()
    assert re.search("<del>打电话</del><ins>联系客服</ins>", page)
    again = shown(response)
    assert again["answer"] == "先联系客服。\n\n再寄回。"
    assert (
        desk.post(where(entry), {**again, "take-answer": "theirs"}).status_code == 302
    )
    entry.refresh_from_db()
    assert (entry.answer, entry.keywords) == ("先打电话。\n\n再寄回。", "tk")


def test_replies_are_joined_one_by_one(desk: Client, entry: Entry) -> None:
    first, second = entry.replies.all()
    mine = filled(desk, where(entry))
    added = {
        "replies-TOTAL_FORMS": 3,
        "replies-2-label": "新",
        "replies-2-body": "对方新写的",
        "replies-2-order": 9,
    }
    theirs(desk, entry, **{"replies-0-body": "对方改的"}, **added)
    response = desk.post(where(entry), {**mine, "replies-1-body": "我改的"})
    assert choices(response) == []
    assert desk.post(where(entry), shown(response)).status_code == 302
    assert bodies(entry) == ["对方改的", "我改的", "对方新写的"]
    assert {first.pk, second.pk} < set(entry.replies.values_list("pk", flat=True))


def test_a_reply_that_both_changed_is_chosen(desk: Client, entry: Entry) -> None:
    first = entry.replies.first()
    assert first
    mine = filled(desk, where(entry))
    theirs(desk, entry, **{"replies-0-body": "对方改的"})
    response = desk.post(where(entry), {**mine, "replies-0-body": "我改的"})
    (choice,) = response.context["conflict"].choices
    assert (choice.name, choice.field) == (f"reply-{first.pk}", "replies-0-body")
    assert choice.theirs == "对方改的"
    again = {**shown(response), f"take-{choice.name}": "theirs"}
    assert desk.post(where(entry), again).status_code == 302
    assert bodies(entry)[0] == "对方改的"


def test_a_reply_that_one_deleted_and_one_changed_stays(
    desk: Client, entry: Entry
) -> None:
    mine = filled(desk, where(entry))
    theirs(desk, entry, **{"replies-0-DELETE": "on", "replies-1-body": "对方改的"})
    typed = {"replies-0-body": "我改的", "replies-1-DELETE": "on"}
    response = desk.post(where(entry), {**mine, **typed})
    page = response.content.decode()
    assert "对方删了，您的留作新的" in page
    assert "对方改过，没有删除" in page
    assert desk.post(where(entry), shown(response)).status_code == 302
    assert sorted(bodies(entry)) == sorted(["对方改的", "我改的"])


def test_lists_are_joined(desk: Client, entry: Entry, make_entry: MakeEntry) -> None:
    one, other = Tag.objects.create(name="甲"), Tag.objects.create(name="乙")
    first, second = make_entry("第一"), make_entry("第二")
    FollowUp.objects.create(entry=entry, then=first)
    mine = filled(desk, where(entry))
    follows = {"follow_ups-TOTAL_FORMS": 2, "follow_ups-1-then": second.pk}
    follows["follow_ups-1-order"] = 1
    theirs(desk, entry, phrasings="能退吗\n对方加的", tags=[one.pk], **follows)
    typed = {"phrasings": "退货\n能退吗\n我加的", "tags": [other.pk]}
    response = desk.post(where(entry), {**mine, **typed})
    assert choices(response) == []
    assert desk.post(where(entry), shown(response)).status_code == 302
    said = set(entry.phrasings.values_list("text", flat=True))
    assert said == {"能退吗", "对方加的", "我加的"}
    assert set(entry.tags.all()) == {one, other}
    assert list(Entry.objects.follow_ups_of(entry)) == [first, second]


def test_without_its_version_everything_that_differs_is_chosen(
    desk: Client, entry: Entry
) -> None:
    mine = filled(desk, where(entry)) | {"version": "", "answer": "我的"}
    response = desk.post(where(entry), mine)
    assert choices(response) == ["answer"]
    entry.refresh_from_db()
    assert entry.answer != "我的"


def test_a_third_change_meanwhile_is_a_conflict_again(
    desk: Client, entry: Entry, lead: User
) -> None:
    mine = filled(desk, where(entry))
    theirs(desk, entry, answer="对方的")
    response = desk.post(where(entry), {**mine, "answer": "我的"})
    entry.refresh_from_db()
    entries.update_entry(entry, by=lead, based_on=entry.version, answer="又一个人的")
    again = {**shown(response), "take-answer": "theirs"}
    response = desk.post(where(entry), again)
    assert response.status_code == 200
    assert response.context["conflict"].choices[0].theirs == "又一个人的"


@pytest.mark.parametrize("version", ["0", "abc", "9" * 30])
def test_a_forged_form_breaks_nothing(desk: Client, entry: Entry, version: str) -> None:
    forged = {
        "version": version,
        "replies-TOTAL_FORMS": "x",
        "replies-INITIAL_FORMS": "9",
        "replies-0-id": "77",
        "replies-0-body": "",
        "take-answer": "theirs",
        "take-reply-x": "theirs",
        "tags": ["x"],
        "follow_ups-0-then": "²",
    }
    response = desk.post(where(entry), filled(desk, where(entry)) | forged)
    assert response.status_code == 200
    assert Reply.objects.count() == 2
