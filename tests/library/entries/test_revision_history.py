"""Revisions: every version is stored completely, compared and restored."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from kb.library import entries
from kb.models import Category, Entry, EntryRevision, FollowUp, Reply, Tag, User
from kb.questions import to_entries
from kb.text.markup import text_diff
from tests.admin_forms import get_change_url as where
from tests.admin_forms import post_change as change
from tests.admin_forms import read_form as filled
from tests.admin_forms import read_messages
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db


def list_actions(entry: Entry) -> list[str]:
    return [revision.act for revision in entries.list_entry_revisions(entry)]


def test_revision_has_author_action_and_note(
    make_entry: MakeEntry, editor: User, lead: User
) -> None:
    entry = make_entry(status="draft")
    entries.update_entry(
        entry, by=editor, based_on=entry.version, answer="新的", note="法务要求"
    )
    entries.publish_entry(entry, by=lead)
    rows = [
        (r.version, r.act, r.by, r.note) for r in entries.list_entry_revisions(entry)
    ]
    assert rows == [
        (3, "published", lead, ""),
        (2, "wrote", editor, "法务要求"),
        (1, "made", None, ""),
    ]


def test_revision_contains_the_whole_content(
    make_entry: MakeEntry, editor: User
) -> None:
    after = make_entry("退款多久到账？")
    entry = make_entry(
        replies=["亲，我们承担"], phrasings=["邮费谁出"], keywords="yf", status="draft"
    )
    entry.tags.add(Tag.objects.create(name="运费"))
    FollowUp.objects.create(entry=entry, then=after)
    Reply.objects.create(entry=entry, owner=editor, title="我的", body="只有我看")
    entry = entries.publish_entry(entry, by=editor)
    content = entry.revisions.get(version=entry.version).content
    assert content == entries.take_snapshot(entry)
    assert (content["question"], content["keywords"]) == ("退货运费谁承担？", "yf")
    assert (content["tags"], content["phrasings"]) == (["运费"], ["邮费谁出"])
    assert content["follow_ups"] == [after.pk]
    assert [reply["body"] for reply in content["replies"]] == ["亲，我们承担"]
    assert "answer_html" not in content
    assert "excerpt" not in content


def test_entry_without_revisions_gets_its_first_on_change(
    make_entry: MakeEntry, editor: User
) -> None:
    entry = make_entry(answer="从前的答案")
    EntryRevision.objects.all().delete()
    seen = entry.version
    entries.update_entry(entry, by=editor, based_on=seen, answer="现在的答案")
    old = entry.revisions.get(version=seen)
    assert old.content["answer"] == "从前的答案"
    assert [r.version for r in entries.list_entry_revisions(entry)] == [seen + 1, seen]


def test_revert_creates_a_new_version(make_entry: MakeEntry, editor: User) -> None:
    tag = Tag.objects.create(name="运费")
    entry = make_entry(replies=["亲，旧话术", "亲，第二条"], phrasings=["老问法"])
    entry.tags.add(tag)
    entry = entries.update_entry(
        entry, by=None, based_on=entry.version, answer="旧答案"
    )
    old = entry.revisions.get(version=entry.version)
    first, second = entry.replies.all()
    first.body = "亲，新话术"
    first.save()
    second.delete()
    entry.phrasings.all().delete()
    entry.tags.clear()
    entry = entries.update_entry(
        entry, by=None, based_on=entry.version, answer="新答案"
    )
    entry, lost = entries.revert_entry(old, by=editor, based_on=entry.version)
    assert lost == []
    assert entries.take_snapshot(entry)["answer"] == "旧答案"
    assert [r.body for r in entry.replies.all()] == ["亲，旧话术", "亲，第二条"]
    assert entry.replies.first() == first  # the same row: who sent it still knows it
    assert [p.text for p in entry.phrasings.all()] == ["老问法"]
    assert list(entry.tags.all()) == [tag]
    assert list_actions(entry)[0] == "reverted"
    assert entry.status == "published"


def test_revert_reports_deleted_content_and_restores_the_rest(
    make_entry: MakeEntry, editor: User
) -> None:
    tag, category = (
        Tag.objects.create(name="运费"),
        Category.objects.create(name="旧类"),
    )
    entry = make_entry(category=category, answer="旧答案")
    entry.tags.add(tag)
    entry = entries.update_entry(entry, by=None, based_on=entry.version, keywords="a")
    old = entry.revisions.get(version=entry.version)
    entry = entries.update_entry(
        entry, by=None, based_on=entry.version, category=None, answer="新答案"
    )
    tag.delete()
    category.delete()
    entry, lost = entries.revert_entry(old, by=editor, based_on=entry.version)
    assert lost == ["分类", "运费"]
    assert (entry.answer, entry.category) == ("旧答案", None)


def test_revert_checks_that_the_text_can_be_published(
    make_entry: MakeEntry, editor: User
) -> None:
    entry = make_entry(answer="", audience="public", status="draft", replies=["亲"])
    empty = entry.revisions.get(version=1)
    entry = entries.update_entry(entry, by=None, based_on=1, answer="有答案了")
    entry = entries.publish_entry(entry, by=None)
    with pytest.raises(ValidationError, match="答案"):
        entries.revert_entry(empty, by=editor, based_on=entry.version)
    entry.refresh_from_db()
    assert entry.answer == "有答案了"


def test_revert_based_on_an_old_version_is_a_conflict(
    make_entry: MakeEntry, editor: User
) -> None:
    entry = make_entry()
    old, seen = entry.revisions.get(version=1), entry.version
    entries.update_entry(entry, by=None, based_on=seen, answer="刚改的")
    with pytest.raises(ValidationError) as stopped:
        entries.revert_entry(old, by=editor, based_on=seen)
    assert stopped.value.code == "conflict"


def test_adding_a_question_creates_a_version(
    make_entry: MakeEntry, make_question: MakeQuestion, editor: User
) -> None:
    entry = make_entry()
    to_entries.add_question_to_entry(
        entry, question=make_question("邮费算谁的"), by=editor
    )
    latest = entries.list_entry_revisions(entry)[0]
    assert (latest.act, latest.content["phrasings"]) == ("merged", ["邮费算谁的"])


def test_import_records_the_overwritten_versions(
    make_entry: MakeEntry, editor: User
) -> None:
    imported = [make_entry(f"第{n}问？", answer=f"旧{n}") for n in range(3)]
    EntryRevision.objects.all().delete()
    # The permissions of a user are loaded once.
    assert entries.can_write_entry(imported[0], by=editor)
    assert entries.can_publish_entry(imported[0], by=editor)

    def written(some: list[Entry]) -> int:
        for entry in some:
            entry.answer = f"新{entry.pk}"
            entry.update_derived_columns()
        with CaptureQueriesContext(connection) as asked:
            entries.store_entries([], some, by=editor)
        return len(asked)

    assert written(imported[:1]) == written(imported[1:])
    for entry in imported:
        now, before = entries.list_entry_revisions(entry)
        assert (now.act, now.by, before.content["answer"][0]) == (
            "imported",
            editor,
            "旧",
        )


# Differences --------------------------------------------------------------------


@given(st.text("甲乙丙\n", max_size=60), st.text("甲乙丙\n", max_size=60))
def test_difference_contains_both_texts(old: str, new: str) -> None:
    parts = text_diff.diff_texts(old, new)
    assert "".join(p.text for p in parts if p.kind != "new") == old
    assert "".join(p.text for p in parts if p.kind != "gone") == new


def test_change_at_the_end_of_a_long_text_is_shown() -> None:
    old = "第一行说明。\n" * 3000 + "运费八元"
    parts = text_diff.diff_excerpts(old, old.replace("八元", "十元"), around=20)
    assert [(p.kind, p.text) for p in parts if p.kind in {"gone", "new"}] == [
        ("gone", "八"),
        ("new", "十"),
    ]


def test_difference_uses_labels_and_names(make_entry: MakeEntry, editor: User) -> None:
    entry = make_entry(replies=["亲，八元"], audience="internal")
    before = entries.take_snapshot(entry)
    reply = entry.replies.get()
    reply.body, reply.tone = "亲，十元", "short"
    reply.save()
    category = Category.objects.create(name="售后")
    entry = entries.update_entry(
        entry,
        by=editor,
        based_on=entry.version,
        audience="public",
        category=category,
    )
    found = entries.compare_snapshots(before, entries.take_snapshot(entry))
    shown = {row.label: "|".join(part.text for part in row.parts) for row in found}
    assert shown == {
        "话术 · 标准": "亲，|八|十|元",
        "话术 · 标准 · 语气": "标准|简短",
        "可见范围": "仅内部|公开",
        "分类": "（空）|售后",
    }


# The page ------------------------------------------------------------------------


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def test_form_saves_replies_and_note_in_one_version(
    desk: Client, editor: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["亲，旧"])
    seen = entry.version
    change(
        desk,
        entry,
        note="双十一新规",
        phrasings="新问法",
        **{"replies-0-body": "亲，新"},
    )
    latest = entries.list_entry_revisions(entry)[0]
    assert (latest.version, latest.by, latest.note) == (seen + 1, editor, "双十一新规")
    assert latest.content["phrasings"] == ["新问法"]
    assert latest.content["replies"][0]["body"] == "亲，新"


def test_first_revision_contains_all_parts(desk: Client) -> None:
    data = filled(desk, "/admin/kb/entry/add/")
    typed = {"question": "新条目？", "answer": "有。", "phrasings": "另一种问法"}
    desk.post("/admin/kb/entry/add/", {**data, **typed})
    first = EntryRevision.objects.get()
    assert (first.act, first.content["phrasings"]) == ("made", ["另一种问法"])


def test_history_page_shows_and_reverts_a_version(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(answer="运费八元")
    entry = entries.update_entry(
        entry, by=None, based_on=entry.version, answer="运费十元"
    )
    response = desk.get(f"{where(entry)[: -len('change/')]}history/")
    assert response.headers["Location"] == f"/desk/history/{entry.pk}/"
    page = desk.get(f"/desk/history/{entry.pk}/").content.decode()
    assert "运费<del>八</del><ins>十</ins>元" in page
    page = desk.get(f"/desk/history/{entry.pk}/?version=1&to=now").content.decode()
    assert "运费<del>十</del><ins>八</ins>元" in page
    data = {"version": 1, "based_on": entry.version, "note": "改错了"}
    response = desk.post(f"/desk/history/{entry.pk}/restore/", data)
    entry.refresh_from_db()
    assert entry.answer == "运费八元"
    assert entries.list_entry_revisions(entry)[0].note == "恢复到第 1 版：改错了"
    assert desk.get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize("sent", ["", "0", "x", "9" * 40, "-1", "²", "\x00"])
def test_unknown_versions_get_a_message(
    desk: Client, make_entry: MakeEntry, sent: str
) -> None:
    entry = make_entry()
    address = f"/desk/history/{entry.pk}/"
    assert desk.get(address, {"version": sent, "page": sent}).status_code == 200
    response = desk.post(f"{address}restore/", {"version": sent, "based_on": "1"})
    assert "没有这个版本" in desk.get(response.headers["Location"]).content.decode()


def test_history_page_needs_a_fixed_number_of_queries(
    desk: Client, make_entry: MakeEntry
) -> None:
    def queries(entry: Entry) -> int:
        with CaptureQueriesContext(connection) as asked:
            desk.get(f"/desk/history/{entry.pk}/")
        return len(asked)

    entry = make_entry(replies=["一"])
    queries(entry)  # reads what a process then remembers
    few = queries(entry)
    for number in range(9):
        entry = entries.update_entry(
            entry, by=None, based_on=entry.version, answer=f"改{number}"
        )
    assert queries(entry) == few


# Permissions ---------------------------------------------------------------------


def test_history_is_for_editors_only(
    client: Client, agent: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(answer="绝密旧答案")
    entry = entries.update_entry(
        entry, by=None, based_on=entry.version, answer="新答案"
    )
    address = f"/desk/history/{entry.pk}/"
    assert client.get(address).status_code == 302
    client.force_login(agent)
    assert client.get(address).status_code == 403
    assert client.post(f"{address}restore/", {"version": 1}).status_code == 403
    client.logout()
    for public in (
        entry.get_absolute_url(),
        f"{entry.get_absolute_url()}?version=1",
        f"/api/v1/entries/{entry.pk}/?version=1",
        "/feed/",
    ):
        assert "绝密旧答案" not in client.get(public, follow=True).content.decode()


def test_entry_that_was_published_cannot_be_deleted(
    desk: Client, make_user: Callable[..., User], make_entry: MakeEntry
) -> None:
    entry = make_entry(status="retired")
    entries.restore_entry(entry, by=None)
    desk.post(f"/admin/kb/entry/{entry.pk}/delete/", {"post": "yes"})
    assert Entry.objects.filter(pk=entry.pk).exists()
    assert read_messages(desk.get("/admin/kb/entry/")) == ""
