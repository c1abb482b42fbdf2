"""Texts have one kind of line end: a change of one sentence is one change everywhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.db.models import TextField
from django.test import Client

from kb.library import replies
from kb.models import Announcement, Entry, Reply, Review, Snippet, StyleRule, User
from kb.models.fields import ProseField
from kb.publishing import translations
from kb.questions import intake
from kb.text.chinese import normalize
from tests.admin_forms import get_change_url as where
from tests.admin_forms import read_form as filled
from tests.conftest import MakeEntry
from tests.importing import load

pytestmark = pytest.mark.django_db
ANSWER = "先申请退货。\n\n- 填好单号\n- 寄回仓库\n\n三天内到账。"
TABLE = "| 原因 | 谁付 |\n| --- | --- |\n| 质量 | 我们 |"
CSV = f'标准问题,答案,话术,状态\n怎么退货,"{ANSWER}\n\n{TABLE}","亲，\n好的",已发布\n'


@pytest.fixture
def imported() -> Entry:
    load(CSV)
    return Entry.objects.get(question="怎么退货")


@pytest.fixture
def desk(client: Client, lead: User) -> Client:
    client.force_login(lead)
    return client


def as_browser(form: dict[str, Any]) -> dict[str, Any]:
    """Return what a browser sends: HTML says that line ends are CR LF."""
    return {
        name: value.replace("\n", "\r\n") if isinstance(value, str) else value
        for name, value in form.items()
    }


def changes(page: str) -> list[str]:
    found = re.findall(r"<(?:ins|del)[^>]*>.*?</(?:ins|del)>", page, re.DOTALL)
    legend = {"<del>删除线</del>", "<ins>下划线</ins>"}
    return [one for one in found if one not in legend]


def typed(desk: Client, entry: Entry) -> dict[str, Any]:
    form = filled(desk, where(entry))
    added = form["answer"].replace("三天内到账。", "三天内到账。周末顺延。")
    return as_browser({**form, "answer": added})


def test_one_sentence_is_one_insertion_in_the_history(
    desk: Client, imported: Entry
) -> None:
    assert desk.post(where(imported), typed(desk, imported)).status_code == 302
    page = desk.get(f"/desk/history/{imported.pk}/").content.decode()
    assert changes(page) == ["<ins>周末顺延。</ins>"]


def test_one_sentence_is_one_insertion_in_the_review(
    client: Client, make_user: Any, imported: Entry, lead: User
) -> None:
    client.force_login(make_user("writer", "撰稿", is_staff=True))
    assert client.post(where(imported), typed(client, imported)).status_code == 302
    review = Review.objects.get()
    client.force_login(lead)
    page = client.get(f"/desk/reviews/?review={review.pk}").content.decode()
    assert changes(page) == ["<ins>周末顺延。</ins>"]


def test_one_sentence_is_one_insertion_in_the_conflict_box(
    desk: Client, imported: Entry
) -> None:
    mine = typed(desk, imported)
    form = filled(desk, where(imported))
    theirs = form["answer"].replace("先申请退货。", "先在订单里申请退货。")
    sent = as_browser({**form, "answer": theirs})
    assert desk.post(where(imported), sent).status_code == 302
    page = desk.post(where(imported), mine).content.decode()
    assert changes(page) == ["<del>在订单里</del>", "<ins>周末顺延。</ins>"]


def test_a_save_that_changes_nothing_is_no_change(
    desk: Client, imported: Entry
) -> None:
    sent = as_browser(filled(desk, where(imported)))
    assert desk.post(where(imported), sent).status_code == 302
    page = desk.get(f"/desk/history/{imported.pk}/").content.decode()
    assert changes(page) == []


MIXED = "甲\r\n乙\r丙\n\r丁"
PLAIN = "甲\n乙\n丙\n\n丁"


def test_all_line_ends_become_one() -> None:
    assert normalize.clean_text(MIXED) == PLAIN
    assert normalize.unify_line_ends(MIXED) == PLAIN


def test_every_stage_keeps_one_kind_of_line_end(
    make_entry: MakeEntry, editor: User, agent: User
) -> None:
    entry = make_entry(answer=MIXED, replies=[MIXED])
    assert entry.answer == PLAIN
    assert [one.body for one in entry.replies.all()] == [PLAIN]
    assert [one.text for one in entry.replies.all()] == [PLAIN]
    assert intake.record_question(MIXED, answer=MIXED).answer == PLAIN
    assert replies.save_snippet(Snippet(name="甲", body=MIXED)).body == PLAIN
    own = Reply(owner=agent, title="我的", body=MIXED)
    assert replies.save_private_reply(own, by=agent).body == PLAIN
    announcement = Announcement(title="甲", body=MIXED, ends_at="2036-01-01T00:00Z")
    announcement.full_clean()
    assert announcement.body == PLAIN
    translations.write_manual_translation(entry.translation, question="", answer=MIXED)
    entry.translation.refresh_from_db()
    assert entry.translation.own_answer == PLAIN


def test_a_file_with_any_line_end_says_the_same(imported: Entry) -> None:
    load(CSV.replace("\n", "\r\n"))
    load(CSV.replace("甲", "甲").replace("\n\n", "\r\r"))
    assert Entry.objects.count() == 1
    entry = Entry.objects.get()
    assert "\r" not in entry.answer
    assert entry.version == imported.version


def test_every_column_of_prose_unifies_line_ends() -> None:
    derived = {"answer_html", "answer_text", "body_html"}  # rendered from the others
    for model in apps.get_app_config("kb").get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, TextField) and field.name not in derived:
                assert isinstance(field, ProseField), f"{model.__name__}.{field.name}"


def test_no_way_past_the_stages_leaves_another_line_end(make_entry: MakeEntry) -> None:
    entry = make_entry()
    reply = Reply.objects.create(entry=entry, body=MIXED)
    assert (reply.body, reply.text) == (PLAIN, PLAIN)
    Reply.objects.filter(pk=reply.pk).update(body=MIXED)
    Snippet.objects.bulk_create([Snippet(name="甲", body=MIXED)])
    assert Reply.objects.get(pk=reply.pk).body == PLAIN
    assert Snippet.objects.get().body == PLAIN


def test_an_untouched_text_is_not_looked_at_again(
    desk: Client, imported: Entry
) -> None:
    """A rule that came later stops the change of a text, not of its neighbours."""
    StyleRule.objects.create(kind="forbidden", text="仓库", severity="error")
    sent = as_browser({**filled(desk, where(imported)), "keywords": "th"})
    assert desk.post(where(imported), sent).status_code == 302
