"""The inbox: one answered question at a time, no text is lost, every decision can be undone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from kb import search
from kb.index import sync
from kb.index.engines import EngineUnavailableError
from kb.models import Category, Entry, Module, Question, User
from kb.questions import triage
from kb.web.desk import UNDO_WINDOW
from tests.conftest import MakeEntry, MakeQuestion

INBOX = "/desk/inbox/"
Status = Question.Status
pytestmark = pytest.mark.django_db


@pytest.fixture
def three(make_question: MakeQuestion) -> list[Question]:
    """Three questions that wait, the oldest first."""
    now = timezone.now()
    texts = ["退货运费谁出呀", "发票抬头怎么改", "优惠券过期了能补吗"]
    return [
        make_question(text, asked_at=now - timedelta(days=3 - day))
        for day, text in enumerate(texts)
    ]


def read(client: Client, address: str = INBOX, **query: Any) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def shown(page: str) -> str:
    """Return the question that `page` asks about."""
    match = re.search(r'<h1 class="words[^"]*" id="asked">(.*?)</h1>', page, re.S)
    assert match, page
    return match[1]


def read_messages(response: Any) -> str:
    """Return the messages on the page that follows `response`."""
    page = response.client.get(response.headers["Location"]).content.decode()
    return " ".join(re.findall(r'<li class="message[^"]*">(.*?)</li>', page, re.S))


def merge(client: Client, question: Question, **data: Any) -> Any:
    return client.post(reverse("desk:merge", args=[question.pk]), data)


def decline(client: Client, question: Question, **data: Any) -> Any:
    return client.post(reverse("desk:decline", args=[question.pk]), data)


def undo(client: Client, question: Question) -> Any:
    return client.post(reverse("desk:undo", args=[question.pk]))


def create(
    client: Client, question: Question, /, do: str = "draft", **data: Any
) -> Any:
    """Send the form of a new entry as the page fills it in, changed by `data`."""
    filled = {
        "question": question.text,
        "phrasing": question.text,
        "answer": question.answer,
        "reply": question.answer,
        "label": "标准",
        "category": "",
        "audience": "internal",
    } | data
    sent = {f"new-{name}": value for name, value in filled.items()}
    where = reverse("desk:create", args=[question.pk])
    return client.post(where, {**sent, "do": do})


# Who comes in ------------------------------------------------------------------


def addresses(pk: int) -> list[tuple[str, str]]:
    posts = ["merge", "create", "decline", "undo"]
    return [
        ("get", INBOX),
        ("get", "/desk/drafts/"),
        *(("post", reverse(f"desk:{name}", args=[pk])) for name in posts),
        ("post", reverse("desk:move", args=[pk, "publish"])),
    ]


def test_only_editors_and_leads_may_open_the_inbox(
    client: Client, agent: User, lead: User, three: list[Question]
) -> None:
    for method, address in addresses(three[0].pk):
        response = getattr(client, method)(address)
        assert response.headers["Location"] == f"/login/?next={quote(address)}"
    client.force_login(agent)
    for method, address in addresses(three[0].pk):
        assert getattr(client, method)(address).status_code == 403
    client.force_login(lead)
    assert shown(read(client)) == three[0].text
    assert Question.objects.awaiting_triage().count() == 3


def test_decisions_require_post_with_a_csrf_token(
    desk: Client, editor: User, three: list[Question]
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(editor)
    for method, address in addresses(three[0].pk):
        if method == "post":
            assert desk.get(address).status_code == 405
            assert strict.post(address).status_code == 403


def test_pages_of_the_desk_are_not_cached(desk: Client, three: list[Question]) -> None:
    for address in (INBOX, "/desk/drafts/"):
        assert "no-store" in desk.get(address).headers["Cache-Control"]


def test_desk_redirects_to_the_inbox(desk: Client) -> None:
    assert desk.get("/desk/").headers["Location"] == INBOX


# What is shown -----------------------------------------------------------------


def test_the_oldest_question_comes_first(desk: Client, three: list[Question]) -> None:
    page = read(desk)
    assert shown(page) == three[0].text
    assert three[0].answer in page
    assert "第 1 个，共 3 个" in page
    assert all(question.text in page for question in three)


def test_open_questions_are_not_in_the_inbox(
    desk: Client, make_question: MakeQuestion
) -> None:
    make_question("还没人回答的问题", answer="")
    assert "都整理完了" in read(desk)


def test_a_question_is_opened_by_its_number(
    desk: Client, three: list[Question]
) -> None:
    page = read(desk, question=three[1].pk)
    assert shown(page) == three[1].text
    assert f"question={three[0].pk}" in page
    assert f"question={three[2].pk}" in page


def test_queue_is_filtered_by_channel_and_module(
    desk: Client, make_question: MakeQuestion
) -> None:
    module = Module.objects.create(name="支付系统")
    make_question("千牛来的问题", channel="qianniu")
    make_question("微信来的问题", channel="wechat", module=module)
    assert shown(read(desk, channel="wechat")) == "微信来的问题"
    assert shown(read(desk, module=module.pk)) == "微信来的问题"
    page = read(desk, channel="qianniu", module=module.pk)
    assert "这个筛选下没有待整理的问题" in page


def test_the_filter_stays_on_after_a_decision(
    desk: Client, make_question: MakeQuestion
) -> None:
    questions = [make_question(f"微信问题{n}", channel="wechat") for n in (1, 2)]
    make_question("千牛问题", channel="qianniu")
    where = reverse("desk:decline", args=[questions[1].pk]) + "?channel=wechat"
    response = desk.post(where, {"reason": "无关"})
    follow = read(desk, response.headers["Location"])
    assert shown(follow) == "微信问题1"
    assert "千牛问题" not in follow


@pytest.mark.parametrize("name", ["channel", "module", "question", "after", "q"])
def test_invalid_parameters_are_ignored(
    desk: Client, three: list[Question], name: str
) -> None:
    sync.rebuild_index()
    for value in (
        *("abc", "-1", "0", "9" * 30, "9" * 5000, "1.5"),
        *("\x00", "' OR 1=1", "[]", ""),
    ):
        response = desk.get(INBOX, {name: value})
        assert response.status_code == 200, value
        assert "第 1 个，共 3 个" in response.content.decode(), value


def test_text_of_customers_is_escaped(
    desk: Client, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    attack = '<img src=x onerror="alert(1)">'
    make_entry(f"条目 {attack}", replies=[attack])
    make_question(f"条目 {attack}", answer=attack, segment=attack[:20])
    page = read(desk, phrasing=attack, q=attack)
    assert "<img src=x" not in page


def test_the_page_has_no_inline_script_or_style(
    desk: Client, make_entry: MakeEntry, three: list[Question]
) -> None:
    make_entry()
    for page in (read(desk), read(desk, "/desk/drafts/")):
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", page)


def test_similar_entries_include_drafts_but_not_retired_ones(
    desk: Client, make_entry: MakeEntry, three: list[Question]
) -> None:
    make_entry("退货运费谁承担？", "质量问题我们承担。", replies=["亲，运费我们出。"])
    make_entry("退货运费怎么报销？", status="draft")
    make_entry("退货运费旧规则", status="retired")
    page = read(desk)
    assert "退货运费谁承担？" in page
    assert "亲，运费我们出。" in page
    assert "质量问题我们承担。" in page
    assert "退货运费怎么报销？" in page
    assert ">草稿</span>" in page
    assert "退货运费旧规则" not in page


def test_inbox_makes_a_fixed_number_of_queries(
    desk: Client,
    editor: User,
    make_entry: MakeEntry,
    make_question: MakeQuestion,
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            read(desk)
        return len(captured)

    make_entry("退货运费谁承担？", replies=["一"])
    make_question("退货运费谁出", module=Module.objects.create(name="模块"))
    queries()  # fills the caches of the process
    few = queries()
    for number in range(8):
        make_entry(f"退货运费谁承担{number}", replies=["一", "二"])
        module = Module.objects.create(name=f"模块{number}")
        make_question(f"退货运费{number}", module=module)
    assert queries() == few
    assert few <= 33  # of them ten count what waits on the other pages of the desk


def test_without_the_engine_the_page_says_so(
    desk: Client,
    make_entry: MakeEntry,
    three: list[Question],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_entry("退货运费谁承担？")

    def down() -> None:
        raise EngineUnavailableError("no index")

    monkeypatch.setattr("kb.search.get_engine", down)
    page = read(desk)
    assert "搜索引擎暂时不可用" in page
    assert "退货运费谁承担？" in page


def test_search_for_another_entry_keeps_the_typed_phrasing(
    desk: Client, make_entry: MakeEntry, three: list[Question]
) -> None:
    wanted = make_entry("改发票抬头", replies=["好的"])
    response = merge(desk, three[0], q="发票抬头", phrasing="改过的问法")
    page = read(desk, response.headers["Location"])
    assert shown(page) == three[0].text
    assert f'name="entry" value="{wanted.pk}"' in page
    assert 'value="改过的问法"' in page
    assert 'value="发票抬头"' in page
    assert Question.objects.awaiting_triage().count() == 3


def test_search_from_a_page_without_entries_suggests_the_phrasing(
    desk: Client, make_entry: MakeEntry, three: list[Question]
) -> None:
    page = read(desk)
    assert "没有相近的条目" in page
    assert 'name="phrasing"' not in page
    make_entry("电子发票怎么开？")
    page = read(desk, merge(desk, three[0], q="发票").headers["Location"])
    assert f'name="phrasing" maxlength="200" value="{three[0].text}"' in page


# Merging -------------------------------------------------------------------------


def test_merging_settles_the_question_and_adds_its_phrasing(
    desk: Client, editor: User, make_entry: MakeEntry, three: list[Question]
) -> None:
    entry = make_entry()
    response = merge(desk, three[0], entry=entry.pk, phrasing=three[0].text)
    question = Question.objects.get(pk=three[0].pk)
    assert (question.status, question.entry) == (Status.SETTLED, entry)
    assert question.settled_by == editor
    assert [p.text for p in entry.phrasings.all()] == [three[0].text]
    assert shown(read(desk, response.headers["Location"])) == three[1].text


def test_next_question_follows_a_decision(desk: Client, three: list[Question]) -> None:
    response = decline(desk, three[1], reason="无关")
    assert shown(read(desk, response.headers["Location"])) == three[2].text
    response = decline(desk, three[2], reason="无关")  # it was the last
    assert shown(read(desk, response.headers["Location"])) == three[0].text


@pytest.mark.parametrize(
    ("typed", "stored"), [("运费谁来付", ["运费谁来付"]), ("", []), (" \u200b ", [])]
)
def test_phrasing_may_be_changed_or_left_out(
    desk: Client,
    make_entry: MakeEntry,
    three: list[Question],
    typed: str,
    stored: list[str],
) -> None:
    entry = make_entry()
    merge(desk, three[0], entry=entry.pk, phrasing=typed)
    assert [p.text for p in entry.phrasings.all()] == stored
    assert entry.questions.count() == 1


@pytest.mark.parametrize("pk", ["0", "999", "abc", "-1", "9" * 30, ""])
def test_merging_into_a_missing_entry_changes_nothing(
    desk: Client, three: list[Question], pk: str
) -> None:
    response = merge(desk, three[1], entry=pk, phrasing="x")
    assert f"question={three[1].pk}" in response.headers["Location"]
    assert "这个条目已经不在了" in read_messages(response)
    assert Question.objects.awaiting_triage().count() == 3


def test_question_sorted_by_a_colleague_is_skipped(
    desk: Client, lead: User, make_entry: MakeEntry, three: list[Question]
) -> None:
    triage.decline_question(three[0], reason="无关", by=lead)
    entry = make_entry()
    steps: list[tuple[Any, dict[str, Any]]] = [
        (merge, {"entry": entry.pk, "phrasing": "x"}),
        (decline, {"reason": "重复"}),
    ]
    for act, data in steps:
        response = act(desk, three[0], **data)
        assert "已经有人处理了" in read_messages(response)
        assert shown(read(desk, response.headers["Location"])) == three[1].text
    assert not entry.questions.exists()
    assert not entry.phrasings.exists()
    page = read(desk, question=three[0].pk)
    assert "已经有人处理了" in page
    assert shown(page) == three[1].text


def test_decision_sent_twice_is_no_conflict(
    desk: Client, make_entry: MakeEntry, three: list[Question]
) -> None:
    entry = make_entry()
    merge(desk, three[0], entry=entry.pk, phrasing="x")
    desk.get(INBOX)  # the message of the first
    assert read_messages(merge(desk, three[0], entry=entry.pk, phrasing="x")) == ""


def test_deleted_question_is_skipped(
    desk: Client, make_entry: MakeEntry, three: list[Question]
) -> None:
    gone = three[0]
    Question.objects.filter(pk=gone.pk).delete()
    entry = make_entry()
    steps: list[tuple[Any, dict[str, Any]]] = [
        (merge, {"entry": entry.pk, "phrasing": ""}),
        (create, {}),
        (decline, {"reason": "无关"}),
        (undo, {}),
    ]
    for act, data in steps:
        response = act(desk, gone, **data)
        assert response.headers["Location"].startswith(INBOX)
        assert "已经有人处理了" in read_messages(response)


# A new entry -----------------------------------------------------------------------


def test_form_of_a_new_entry_is_prefilled(desk: Client, three: list[Question]) -> None:
    page = read(desk)
    assert f'name="new-question" value="{three[0].text}"' in page
    assert f'name="new-phrasing" value="{three[0].text}"' in page
    for name in ("answer", "reply"):
        filled = re.search(
            rf'<textarea name="new-{name}".*?>(.*?)</textarea>', page, re.S
        )
        assert filled
        assert filled[1].strip() == three[0].answer


def test_new_entry_is_a_draft_with_answer_and_reply(
    desk: Client, editor: User, three: list[Question]
) -> None:
    category = Category.objects.create(name="售后")
    response = create(
        desk,
        three[0],
        question="退货运费谁承担？",
        answer="看原因。",
        reply="亲，{{客户称呼}}",
        label="安抚",
        category=category.pk,
        audience="public",
    )
    entry = Entry.objects.get()
    assert entry.status == Entry.Status.DRAFT
    assert (entry.question, entry.answer) == ("退货运费谁承担？", "看原因。")
    assert (entry.category, entry.audience) == (category, "public")
    assert entry.created_by == editor
    assert [(r.label, r.body) for r in entry.replies.all()] == [
        ("安抚", "亲，{{客户称呼}}")
    ]
    assert [p.text for p in entry.phrasings.all()] == [three[0].text]
    assert [q.pk for q in entry.questions.all()] == [three[0].pk]
    assert "已存为草稿" in read_messages(response)


def test_a_new_entry_can_be_published_at_once(
    desk: Client, three: list[Question]
) -> None:
    create(desk, three[0], do="publish", audience="public")
    entry = Entry.objects.get()
    assert entry.status == Entry.Status.PUBLISHED
    sync.sync_all_marks()
    results = search.search_entries("退货运费", user=AnonymousUser())
    assert [hit.entry for hit in results.hits] == [entry]


@pytest.mark.parametrize(
    "wrong",
    [
        {"question": ""},
        {"question": " \u200b "},
        {"audience": "everybody"},
        {"audience": ""},
        {"category": "999"},
        {"category": "abc"},
        {"answer": "", "audience": "public"},  # nothing to publish
        {"answer": "", "reply": ""},
        {"answer": "长" * 70_000},
        {"reply": "长" * 5_000},
    ],
)
def test_a_refused_entry_keeps_what_was_typed(
    desk: Client, three: list[Question], wrong: dict[str, str]
) -> None:
    response = create(desk, three[0], do="publish", label="我打的名称", **wrong)
    page = response.content.decode()
    assert response.status_code == 200
    assert 'value="我打的名称"' in page
    assert "errorlist" in page or "notice bad" in page
    assert not Entry.objects.exists()
    assert Question.objects.awaiting_triage().count() == 3


def test_form_becomes_a_draft_where_a_colleague_was_first(
    desk: Client, lead: User, three: list[Question]
) -> None:
    triage.decline_question(three[0], reason="无关", by=lead)
    response = create(desk, three[0], question="我写了很久的标准问题？")
    entry = Entry.objects.get()
    assert entry.status == Entry.Status.DRAFT
    assert entry.question == "我写了很久的标准问题？"
    assert not entry.questions.exists()
    messages = read_messages(response)
    assert "存为草稿" in messages
    assert reverse("admin:kb_entry_change", args=[entry.pk]) in messages


def test_a_form_sent_twice_makes_one_entry(desk: Client, three: list[Question]) -> None:
    for _ in range(2):
        create(desk, three[0], question="只要一条？")
    assert Entry.objects.count() == 1


def test_publishing_requires_its_own_permission(
    client: Client, agent: User, make_user: Callable[..., User], three: list[Question]
) -> None:
    from django.contrib.auth.models import Permission

    sorts = make_user("sorts")
    names = ["triage_question", "change_entry", "add_entry"]
    sorts.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(sorts)
    assert "保存并发布" not in read(client)
    assert create(client, three[0], do="publish").status_code == 403
    assert not Entry.objects.exists()
    assert create(client, three[0]).status_code == 302


# Not for the library ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"reason": "重复"}, "重复"),
        ({"reason": "无关", "note": "问的是别家店"}, "无关：问的是别家店"),
        ({"reason": "其他", "note": "测试消息"}, "测试消息"),
        ({"reason": "无关", "note": "长" * 500}, "无关：" + "长" * 197),
    ],
)
def test_declining_stores_the_reason(
    desk: Client, three: list[Question], sent: dict[str, str], stored: str
) -> None:
    decline(desk, three[0], **sent)
    question = Question.objects.get(pk=three[0].pk)
    assert (question.status, question.reason) == (Status.DECLINED, stored)


@pytest.mark.parametrize(
    "sent",
    [{}, {"reason": "其他"}, {"reason": "乱填"}, {"reason": "其他", "note": " "}],
)
def test_declining_needs_a_reason(
    desk: Client, three: list[Question], sent: dict[str, str]
) -> None:
    page = decline(desk, three[0], **sent).content.decode()
    assert shown(page) == three[0].text
    assert "errorlist" in page
    assert Question.objects.awaiting_triage().count() == 3


# Undo ---------------------------------------------------------------------------------


def test_a_merge_is_undone(
    desk: Client, make_entry: MakeEntry, three: list[Question]
) -> None:
    entry = make_entry()
    merge(desk, three[0], entry=entry.pk, phrasing="新问法")
    assert f"/{three[0].pk}/undo/" in read(desk)
    response = undo(desk, three[0])
    messages = read_messages(response)
    assert three[0].text in messages
    assert entry.question in messages
    assert shown(read(desk, response.headers["Location"])) == three[0].text
    assert not entry.phrasings.exists()
    assert not entry.questions.exists()


def test_a_new_draft_is_undone(desk: Client, three: list[Question]) -> None:
    create(desk, three[0])
    messages = read_messages(undo(desk, three[0]))
    assert "草稿" in messages
    assert "已删除" in messages
    assert not Entry.objects.exists()
    assert Question.objects.awaiting_triage().count() == 3


def test_undo_keeps_a_published_entry(desk: Client, three: list[Question]) -> None:
    create(desk, three[0], do="publish")
    assert "不再计入" in read_messages(undo(desk, three[0]))
    assert Entry.objects.get().status == Entry.Status.PUBLISHED


def test_declining_is_undone(desk: Client, three: list[Question]) -> None:
    decline(desk, three[0], reason="无关")
    messages = read_messages(undo(desk, three[0]))
    assert "不收录" in messages
    assert three[0].text in messages
    assert Question.objects.awaiting_triage().count() == 3


def test_decisions_are_undone_in_reverse_order(
    desk: Client, three: list[Question]
) -> None:
    for question in three:
        decline(desk, question, reason="无关")
    assert "都整理完了" in read(desk)
    for question in reversed(three):
        assert f"/{question.pk}/undo/" in read(desk)
        undo(desk, question)
    assert "/undo/" not in read(desk)


def test_undo_offers_only_the_last_own_decision(
    desk: Client, editor: User, lead: User, three: list[Question]
) -> None:
    triage.decline_question(three[0], reason="无关", by=lead)
    assert "/undo/" not in read(desk)
    triage.decline_question(three[1], reason="无关", by=editor)
    assert f"/{three[1].pk}/undo/" in read(desk)
    long_ago = timezone.now() - UNDO_WINDOW - timedelta(minutes=1)
    Question.objects.filter(pk=three[1].pk).update(settled_at=long_ago)
    assert "/undo/" not in read(desk)


def test_undoing_twice_shows_a_message(desk: Client, three: list[Question]) -> None:
    decline(desk, three[0], reason="无关")
    undo(desk, three[0])
    assert "待整理" in read_messages(undo(desk, three[0]))
    assert Question.objects.awaiting_triage().count() == 3


# Nothing left ---------------------------------------------------------------------------


def test_empty_inbox_offers_the_import(desk: Client) -> None:
    page = read(desk)
    assert "都整理完了" in page
    assert reverse("admin:kb_import") in page
