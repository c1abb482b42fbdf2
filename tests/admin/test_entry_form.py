"""The form and the list of entries: nothing is saved past the stage, no edit is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from kb.index import sync
from kb.library import entries
from kb.models import Category, Entry, IndexQueue, User
from kb.questions import to_entries
from tests.admin_forms import get_change_url, post_change, read_form
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db


def test_search_covers_keywords_replies_phrasings_and_question(
    desk: Client, make_entry: MakeEntry
) -> None:
    make_entry("甲", keywords="thyf", replies=["话术里的词"], phrasings=["别的问法"])
    make_entry("乙")
    for words in ("thyf", "话术里", "别的问法", "甲"):
        page = desk.get("/admin/kb/entry/", {"q": words})
        assert [entry.question for entry in page.context["cl"].result_list] == ["甲"]


def test_category_filter_includes_descendants(
    desk: Client, make_entry: MakeEntry
) -> None:
    top = Category.objects.create(name="售后")
    below = Category.objects.create(name="退换货", parent=top)
    make_entry("上", category=top)
    make_entry("下", category=below)
    make_entry("别处")
    for node, questions in [(top, {"上", "下"}), (below, {"下"})]:
        page = desk.get("/admin/kb/entry/", {"category": node.pk})
        assert {e.question for e in page.context["cl"].result_list} == questions


def test_new_entry_is_a_draft_of_its_author(desk: Client, editor: User) -> None:
    data = read_form(desk, "/admin/kb/entry/add/")
    typed = {
        "question": "怎么开发票？",
        "answer": "点开发票。",
        "audience": "public",
        "phrasings": "要发票\n發票怎麼開\n\n要发票！",
        "replies-TOTAL_FORMS": 1,
        "replies-0-label": "标准",
        "replies-0-body": "好的，{{客户称呼}}",
        "replies-0-order": 0,
        "status": "published",  # forged
    }
    assert desk.post("/admin/kb/entry/add/", {**data, **typed}).status_code == 302
    entry = Entry.objects.get()
    assert (entry.status, entry.created_by, entry.version) == ("draft", editor, 1)
    assert entry.slug == "怎么开发票"
    assert [p.text for p in entry.phrasings.all()] == ["要发票", "發票怎麼開"]
    assert [r.body for r in entry.replies.all()] == ["好的，{{客户称呼}}"]


def test_saving_goes_through_the_stage_and_marks_the_index(
    desk: Client, editor: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["旧话术"], phrasings=["旧问法"])
    with_callbacks = post_change(
        desk,
        entry,
        question="新的标准问题？",
        phrasings="旧问法\n新问法",
        **{"replies-0-body": "新话术"},
    )
    assert with_callbacks.status_code == 302
    entry.refresh_from_db()
    assert (entry.question, entry.version) == ("新的标准问题？", 3)
    assert entry.updated_by == editor
    assert entry.status == "published"
    assert [p.text for p in entry.phrasings.all()] == ["旧问法", "新问法"]
    assert [r.body for r in entry.replies.all()] == ["新话术"]
    assert IndexQueue.objects.filter(entry_id=entry.pk).exists()
    sync.sync_all_marks()
    assert not IndexQueue.objects.exists()
    assert sync.audit_indexed_entries() == set()


def test_unchanged_phrasing_keeps_its_question(
    desk: Client, editor: User, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    entry = make_entry()
    question = make_question("运费谁来付呀")
    to_entries.add_question_to_entry(entry, question=question, by=editor)
    post_change(desk, entry, phrasings="运费谁来付呀\n再加一个")
    assert [p.question for p in entry.phrasings.all()] == [question, None]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("长" * 201, "每行最多 200 字"),
        ("\n".join(str(n) for n in range(1001)), "最多 1000 个问法"),
    ],
)
def test_too_long_phrasings_are_refused_and_kept_in_the_form(
    desk: Client, make_entry: MakeEntry, typed: str, reason: str
) -> None:
    entry = make_entry()
    page = post_change(desk, entry, phrasings=typed).content.decode()
    assert reason in page
    assert typed[:200] in page
    assert not entry.phrasings.exists()


def test_replies_can_be_added_changed_and_removed(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["一", "二"])
    post_change(
        desk,
        entry,
        **{
            "replies-TOTAL_FORMS": 3,
            "replies-0-DELETE": "on",
            "replies-1-body": "二改",
            "replies-2-label": "新",
            "replies-2-body": "三",
            "replies-2-order": 9,
        },
    )
    assert [reply.body for reply in entry.replies.all()] == ["二改", "三"]


def test_second_editor_sees_the_conflict_and_keeps_the_text(
    desk: Client, lead: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["话术"])
    form = read_form(desk, get_change_url(entry))
    theirs = entries.update_entry(
        entry,
        by=lead,
        based_on=entry.version,
        answer="主管改的答案",
        question="主管改的？",
    )
    mine = {**form, "answer": "我改的答案", "replies-0-body": "我改的话术"}
    response = desk.post(get_change_url(entry), mine)
    page = response.content.decode()
    assert entries.EDIT_CONFLICT_MESSAGE in page
    for text in ("我改的答案", "我改的话术"):
        assert text in page
    assert "对方改了、您没有改的，已经合进下面的表单：标准问题" in page
    assert response.context["adminform"].form["question"].value() == "主管改的？"
    assert "<del>" in page  # what both changed is shown word by word
    entry.refresh_from_db()
    assert (entry.answer, entry.version) == ("主管改的答案", theirs.version)
    assert [reply.body for reply in entry.replies.all()] == ["话术"]

    again = dict(mine, version=response.context["adminform"].form["version"].value())
    assert desk.post(get_change_url(entry), again).status_code == 302
    entry.refresh_from_db()
    assert entry.answer == "我改的答案"


@pytest.mark.parametrize("version", ["", "abc", "0", "9" * 30])
def test_a_form_without_its_version_is_a_conflict(
    desk: Client, make_entry: MakeEntry, version: str
) -> None:
    entry = make_entry()
    page = post_change(desk, entry, answer="新", version=version).content.decode()
    assert entries.EDIT_CONFLICT_MESSAGE in page
    entry.refresh_from_db()
    assert entry.answer != "新"


def test_public_entry_requires_an_answer(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry(replies=["话术"])
    page = post_change(desk, entry, answer="").content.decode()
    assert "公开发布的条目必须有 FAQ 答案。" in page


@pytest.mark.parametrize(
    "typed",
    [
        {"question": ""},
        {"question": "\u200b"},
        {"question": "长" * 201},
        {"answer": "长" * 70_000},
        {"audience": "everybody"},
        {"category": "999"},
        {"tags": ["abc"]},
        {"slug": "../../etc"},
        {"replies-0-body": ""},
        {"replies-0-body": "长" * 5_000},
        {"replies-0-channel": "fax"},
        {"replies-0-order": "-1"},
        {"replies-0-id": "999"},
        {"replies-TOTAL_FORMS": "abc"},
        {"replies-TOTAL_FORMS": "99999"},
    ],
)
def test_invalid_values_are_refused_with_a_reason(
    desk: Client, make_entry: MakeEntry, typed: dict[str, Any]
) -> None:
    entry = make_entry(replies=["话术"])
    response = post_change(desk, entry, **typed)
    assert response.status_code == 200
    assert (
        "errorlist" in response.content.decode()
        or "errornote" in response.content.decode()
    )
    entry.refresh_from_db()
    assert entry.version == 2


def test_id_beyond_64_bits_is_no_server_error(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    # PostgreSQL compares it and finds nothing; SQLite cannot even ask.
    assert post_change(desk, entry, tags=["9" * 30]).status_code in {200, 400}


def test_claimed_number_of_forms_is_limited(
    desk: Client, make_entry: MakeEntry
) -> None:
    response = post_change(desk, make_entry(), **{"replies-TOTAL_FORMS": "99999"})
    inline, *_ = response.context["inline_admin_formsets"]
    assert len(inline.formset.forms) <= 60
