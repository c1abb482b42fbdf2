"""Two people change one entry: no text is lost, clashing changes are a choice."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from kb.library import entries
from kb.models import Category, Entry, FollowUp, Reply, Tag, User
from tests.admin_forms import get_change_url, get_form_values, read_form
from tests.conftest import MakeEntry

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
    """Save the form as a colleague does who is first."""
    response = desk.post(
        get_change_url(entry), {**read_form(desk, get_change_url(entry)), **typed}
    )
    assert response.status_code == 302, response.context["errors"]


def choices(response: Any) -> list[str]:
    conflict = response.context["conflict"]
    return [choice.name for choice in conflict.choices] if conflict else []


def bodies(entry: Entry) -> list[str]:
    return list(entry.replies.values_list("body", flat=True))


def test_change_of_one_side_is_merged(desk: Client, entry: Entry) -> None:
    mine = read_form(desk, get_change_url(entry))
    category = Category.objects.create(name="售后")
    theirs(desk, entry, answer="先申请。\n\n再寄回，要保价。", category=category.pk)
    response = desk.post(get_change_url(entry), {**mine, "question": "退货怎么办"})
    assert choices(response) == []
    assert "两边改的地方不同" in response.content.decode()
    assert (
        desk.post(get_change_url(entry), get_form_values(response)).status_code == 302
    )
    entry.refresh_from_db()
    assert (entry.question, entry.category) == ("退货怎么办", category)
    assert entry.answer == "先申请。\n\n再寄回，要保价。"


def test_text_changed_by_both_is_shown_as_a_choice(desk: Client, entry: Entry) -> None:
    mine = read_form(desk, get_change_url(entry))
    theirs(desk, entry, answer="先打电话。\n\n再寄回。", keywords="th")
    response = desk.post(
        get_change_url(entry),
        {**mine, "answer": "先联系客服。\n\n再寄回。", "keywords": "tk"},
    )
    assert choices(response) == ["answer", "keywords"]
    page = response.content.decode()
    assert re.search("<del>打电话</del><ins>联系客服</ins>", page)
    again = get_form_values(response)
    assert again["answer"] == "先联系客服。\n\n再寄回。"
    assert (
        desk.post(get_change_url(entry), {**again, "take-answer": "theirs"}).status_code
        == 302
    )
    entry.refresh_from_db()
    assert (entry.answer, entry.keywords) == ("先打电话。\n\n再寄回。", "tk")


def test_replies_are_merged_one_by_one(desk: Client, entry: Entry) -> None:
    first, second = entry.replies.all()
    mine = read_form(desk, get_change_url(entry))
    added = {
        "replies-TOTAL_FORMS": 3,
        "replies-2-label": "新",
        "replies-2-body": "对方新写的",
        "replies-2-order": 9,
    }
    theirs(desk, entry, **{"replies-0-body": "对方改的"}, **added)
    response = desk.post(get_change_url(entry), {**mine, "replies-1-body": "我改的"})
    assert choices(response) == []
    assert (
        desk.post(get_change_url(entry), get_form_values(response)).status_code == 302
    )
    assert bodies(entry) == ["对方改的", "我改的", "对方新写的"]
    assert {first.pk, second.pk} < set(entry.replies.values_list("pk", flat=True))


def test_reply_changed_by_both_is_a_choice(desk: Client, entry: Entry) -> None:
    first = entry.replies.first()
    assert first
    mine = read_form(desk, get_change_url(entry))
    theirs(desk, entry, **{"replies-0-body": "对方改的"})
    response = desk.post(get_change_url(entry), {**mine, "replies-0-body": "我改的"})
    (choice,) = response.context["conflict"].choices
    assert (choice.name, choice.field) == (f"reply-{first.pk}", "replies-0-body")
    assert choice.theirs == "对方改的"
    again = {**get_form_values(response), f"take-{choice.name}": "theirs"}
    assert desk.post(get_change_url(entry), again).status_code == 302
    assert bodies(entry)[0] == "对方改的"


def test_reply_deleted_by_one_and_changed_by_the_other_is_kept(
    desk: Client, entry: Entry
) -> None:
    mine = read_form(desk, get_change_url(entry))
    theirs(desk, entry, **{"replies-0-DELETE": "on", "replies-1-body": "对方改的"})
    typed = {"replies-0-body": "我改的", "replies-1-DELETE": "on"}
    response = desk.post(get_change_url(entry), {**mine, **typed})
    page = response.content.decode()
    assert "对方删了，您的留作新的" in page
    assert "对方改过，没有删除" in page
    assert (
        desk.post(get_change_url(entry), get_form_values(response)).status_code == 302
    )
    assert sorted(bodies(entry)) == sorted(["对方改的", "我改的"])


def test_lists_are_merged(desk: Client, entry: Entry, make_entry: MakeEntry) -> None:
    first_tag, second_tag = Tag.objects.create(name="甲"), Tag.objects.create(name="乙")
    first, second = make_entry("第一"), make_entry("第二")
    FollowUp.objects.create(entry=entry, then=first)
    mine = read_form(desk, get_change_url(entry))
    follows = {"follow_ups-TOTAL_FORMS": 2, "follow_ups-1-then": second.pk}
    follows["follow_ups-1-order"] = 1
    theirs(desk, entry, phrasings="能退吗\n对方加的", tags=[first_tag.pk], **follows)
    typed = {"phrasings": "退货\n能退吗\n我加的", "tags": [second_tag.pk]}
    response = desk.post(get_change_url(entry), {**mine, **typed})
    assert choices(response) == []
    assert (
        desk.post(get_change_url(entry), get_form_values(response)).status_code == 302
    )
    texts = set(entry.phrasings.values_list("text", flat=True))
    assert texts == {"能退吗", "对方加的", "我加的"}
    assert set(entry.tags.all()) == {first_tag, second_tag}
    assert list(Entry.objects.follow_ups_of(entry)) == [first, second]


def test_without_a_version_every_difference_is_a_choice(
    desk: Client, entry: Entry
) -> None:
    mine = read_form(desk, get_change_url(entry)) | {"version": "", "answer": "我的"}
    response = desk.post(get_change_url(entry), mine)
    assert choices(response) == ["answer"]
    entry.refresh_from_db()
    assert entry.answer != "我的"


def test_third_change_is_a_new_conflict(desk: Client, entry: Entry, lead: User) -> None:
    mine = read_form(desk, get_change_url(entry))
    theirs(desk, entry, answer="对方的")
    response = desk.post(get_change_url(entry), {**mine, "answer": "我的"})
    entry.refresh_from_db()
    entries.update_entry(entry, by=lead, based_on=entry.version, answer="又一个人的")
    again = {**get_form_values(response), "take-answer": "theirs"}
    response = desk.post(get_change_url(entry), again)
    assert response.status_code == 200
    assert response.context["conflict"].choices[0].theirs == "又一个人的"


@pytest.mark.parametrize("version", ["0", "abc", "9" * 30])
def test_forged_form_is_no_server_error(
    desk: Client, entry: Entry, version: str
) -> None:
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
    response = desk.post(
        get_change_url(entry), read_form(desk, get_change_url(entry)) | forged
    )
    assert response.status_code == 200
    assert Reply.objects.count() == 2
