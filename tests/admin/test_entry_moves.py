"""Buttons and actions that change the status of entries."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from kb.models import Entry, User
from kb.questions import to_entries
from tests.admin_forms import get_change_url, post_change, read_form, read_messages
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("draft", {"submit", "publish", "retire"}),
        ("review", {"publish", "send-back", "retire"}),
        ("published", {"retire"}),
        ("retired", {"restore"}),
    ],
)
def test_buttons_offer_the_allowed_moves_and_make_them(
    desk: Client, make_entry: MakeEntry, status: str, offered: set[str]
) -> None:
    becomes = {
        "submit": "review",
        "publish": "published",
        "send-back": "draft",
        "retire": "retired",
        "restore": "draft",
    }
    for number, name in enumerate(sorted(offered)):
        entry = make_entry(f"条目{number}", status=status)
        page = desk.get(get_change_url(entry)).content.decode()
        assert set(re.findall(r'name="_move" value="(.*?)"', page)) == offered
        response = post_change(desk, entry, answer="顺手改的", _move=name)
        assert str(entry) in read_messages(response)
        entry.refresh_from_db()
        assert (entry.status, entry.answer) == (becomes[name], "顺手改的")


def test_a_new_entry_is_published_by_its_button(desk: Client) -> None:
    data = read_form(desk, "/admin/kb/entry/add/")
    typed = {"question": "新条目？", "answer": "有答案。", "_move": "publish"}
    response = desk.post("/admin/kb/entry/add/", {**data, **typed})
    entry = Entry.objects.get()
    assert entry.status == "published"
    assert response.headers["Location"] == get_change_url(entry)


def test_refused_move_keeps_the_saved_change(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(status="draft", answer="")
    messages = read_messages(
        post_change(desk, entry, question="改了的问题？", _move="publish")
    )
    assert "内容已保存，但没有发布" in messages
    assert "没有 FAQ 答案" in messages
    entry.refresh_from_db()
    assert (entry.question, entry.status) == ("改了的问题？", "draft")


def test_unknown_move_only_saves(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry(status="draft")
    assert post_change(desk, entry, answer="新", _move="delete").status_code == 302
    entry.refresh_from_db()
    assert (entry.answer, entry.status) == ("新", "draft")


def run_action(client: Client, action: str, *chosen: Any) -> Any:
    pks = [getattr(row, "pk", row) for row in chosen]
    data = {"action": action, "_selected_action": pks, "post": "yes"}
    return client.post("/admin/kb/entry/", data)


def test_action_reports_each_refused_entry(desk: Client, make_entry: MakeEntry) -> None:
    good = [make_entry(f"好{n}", status="draft") for n in range(3)]
    empty = make_entry("没答案", status="draft", answer="")
    retired = make_entry("下线了", status="retired")
    messages = read_messages(run_action(desk, "publish", *good, empty, retired))
    assert "发布：3 条成功" in messages
    assert "「没答案」没有 FAQ 答案" in messages
    assert "「下线了」现在是「已下线」" in messages
    assert Entry.objects.filter(status="published").count() == 3


def test_actions_make_every_move(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry(status="draft")
    for action, status in [
        ("submit", "review"),
        ("send_back", "draft"),
        ("publish", "published"),
        ("retire", "retired"),
        ("restore", "draft"),
    ]:
        run_action(desk, action, entry)
        entry.refresh_from_db()
        assert entry.status == status


def test_forged_selection_of_an_action_is_ignored(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(status="draft")
    for chosen in (["999"], [], ["9" * 30], ["abc"], [*range(2000, 2900)]):
        assert run_action(desk, "publish", *chosen).status_code in {200, 302}
    assert run_action(desk, "publish", *range(2000)).status_code == 400
    assert run_action(desk, "delete_selected", entry).status_code in {200, 302}
    assert run_action(desk, "no_such_action", entry).status_code in {200, 302}
    entry.refresh_from_db()
    assert entry.status == "draft"


def test_publishing_requires_its_own_permission(
    client: Client, make_user: Callable[..., User], make_entry: MakeEntry
) -> None:
    writer = make_user("writer", is_staff=True)
    kinds = ["entry", "reply", "phrasing", "tag", "module", "category"]
    wanted = Permission.objects.filter(
        content_type__model__in=kinds, codename__regex="^(view|add|change)_"
    )
    writer.user_permissions.set(wanted)
    client.force_login(writer)
    entry = make_entry(status="draft")
    page = client.get(get_change_url(entry)).content.decode()
    assert set(re.findall(r'name="_move" value="(.*?)"', page)) == {"submit"}
    assert 'value="publish"' not in client.get("/admin/kb/entry/").content.decode()
    run_action(client, "publish", entry)
    messages = read_messages(post_change(client, entry, answer="改了", _move="publish"))
    assert "没有这个操作的权限" in messages
    entry.refresh_from_db()
    assert (entry.status, entry.answer) == ("draft", "改了")


def test_only_drafts_without_questions_can_be_deleted(
    desk: Client, editor: User, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    other_statuses = [
        make_entry(s, status=s) for s in ("review", "published", "retired")
    ]
    with_question = make_entry("有问题", status="draft")
    to_entries.add_question_to_entry(with_question, question=make_question(), by=editor)
    bare = make_entry("只是草稿", status="draft")
    for entry in [*other_statuses, with_question, bare]:
        desk.post(f"/admin/kb/entry/{entry.pk}/delete/", {"post": "yes"})
    assert set(Entry.objects.all()) == {*other_statuses, with_question}
