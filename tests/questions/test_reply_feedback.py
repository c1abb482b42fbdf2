"""Feedback on replies (反馈): reaches editors with its context and gets an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from kb.library import entries
from kb.models import ROLE_AGENT, Entry, Reply, ReplyFeedback, User
from kb.questions import reply_feedback
from tests.conftest import MakeEntry

URL = "/console/feedback/"
DESK = "/desk/remarks/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry(replies=["亲，运费险最高赔 10 元。"], audience="internal")


@pytest.fixture
def console(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


@pytest.fixture
def desk(editor: User) -> Client:
    client = Client()
    client.force_login(editor)
    return client


def post_feedback(client: Client, entry: Entry, /, **more: Any) -> Any:
    reply = entry.replies.first()
    data = {
        "entry": entry.pk,
        "reply": reply.pk if reply else "",
        "reason": "stale",
        "words": "上月改成 12 元了",
        "q": "运费险 13800138000",
    }
    return client.post(URL, {**data, **more})


def test_feedback_reaches_editors_with_its_context(
    console: Client, desk: Client, entry: Entry, agent: User
) -> None:
    sent = post_feedback(console, entry)
    assert sent.status_code == 302
    feedback = ReplyFeedback.objects.get()
    assert (feedback.entry, feedback.reply) == (entry, entry.replies.get())
    assert (feedback.reason, feedback.by, feedback.state) == ("stale", agent, "open")
    page = desk.get(DESK).text
    for said in (
        "过时",
        "上月改成 12 元了",
        "运费险最高赔 10 元",
        "当时在搜“运费险 ***”",
        entry.question,
        f"/admin/kb/entry/{entry.pk}/change/",
        str(agent),
    ):
        assert said in page, said
    assert "13800138000" not in page


def test_feedback_stores_the_text_of_that_time(
    console: Client, desk: Client, entry: Entry
) -> None:
    post_feedback(console, entry)
    reply = entry.replies.get()
    reply.body = "亲，最高赔 12 元。"
    reply.save()
    page = desk.get(DESK).text
    assert "最高赔 10 元" in page
    assert "后来改过" in page
    reply.delete()
    assert "现在已经删掉了" in desk.get(DESK).text


def test_answer_is_visible_to_the_feedback_author_only(
    console: Client, desk: Client, entry: Entry, make_user: Callable[..., User]
) -> None:
    post_feedback(console, entry)
    feedback = ReplyFeedback.objects.get()
    desk.post(f"{DESK}{feedback.pk}/", {"answer": "已改成 12 元"})
    feedback.refresh_from_db()
    assert (feedback.state, feedback.answer) == ("done", "已改成 12 元")
    assert "答复了您的 1 条反馈" in console.get("/console/").text
    shown: dict[str, Any] = {"entry": entry.pk, "fragment": "preview"}
    assert "已改成 12 元" in console.get("/console/", shown).text
    first = console.get(URL).text
    assert "已改成 12 元" in first
    assert "新答复" in first
    assert "新答复" not in console.get(URL).text
    assert "答复了您的" not in console.get("/console/").text
    other = Client()
    other.force_login(make_user("other", ROLE_AGENT))
    for address in ("/console/", f"/console/?entry={entry.pk}", URL):
        page = other.get(address).text
        assert "已改成 12 元" not in page, address
        assert "答复了您的" not in page, address


def test_feedback_is_answered_once_and_needs_a_text(
    console: Client, desk: Client, entry: Entry, editor: User, lead: User
) -> None:
    post_feedback(console, entry)
    feedback = ReplyFeedback.objects.get()
    page = desk.post(f"{DESK}{feedback.pk}/", {"answer": " \u200b"}, follow=True)
    assert "请写一句答复" in page.text
    long = desk.post(f"{DESK}{feedback.pk}/", {"answer": "长" * 501}, follow=True)
    assert "500" in long.text
    feedback.refresh_from_db()
    assert feedback.state == "open"
    reply_feedback.answer_reply_feedback(feedback, answer="改了", by=lead)
    page = desk.post(f"{DESK}{feedback.pk}/", {"answer": "我也改了"}, follow=True)
    assert "已经有人答复了" in page.text
    feedback.refresh_from_db()
    assert (feedback.answer, feedback.done_by) == ("改了", lead)
    assert "已经不在了" in desk.post(f"{DESK}999999/", follow=True).text


def test_desk_counts_open_feedback(console: Client, desk: Client, entry: Entry) -> None:
    assert "话术反馈</a>" in desk.get("/desk/drafts/").text
    post_feedback(console, entry)
    post_feedback(console, entry, reason="wrong")
    assert '话术反馈 <span class="number">2</span>' in desk.get("/desk/drafts/").text
    for feedback in ReplyFeedback.objects.all():
        desk.post(f"{DESK}{feedback.pk}/", {"answer": "好"})
    assert "话术反馈</a>" in desk.get("/desk/drafts/").text
    assert "没有待处理的反馈" in desk.get(DESK).text
    assert desk.get(DESK, {"done": "1"}).text.count("答复：") == 2


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"reason": ""}, "请选一下哪里不对"),
        ({"reason": "boring"}, "boring"),
        ({"reason": "other", "words": " "}, "请写明哪里不对"),
        ({"words": "长" * 501}, "最多 500 字"),
        ({"entry": "x"}, "缺少条目"),
        ({"entry": 2**63}, "缺少条目"),
        ({"reply": "x"}, "格式不对"),
        ({"reply": 999_999}, "不属于这个条目"),
    ],
)
def test_invalid_feedback_gets_a_message(
    console: Client, entry: Entry, wrong: dict[str, Any], reason: str
) -> None:
    sent = post_feedback(console, entry, bare="1", **wrong)
    assert (sent.status_code, reason in sent.text) == (400, True)
    page = post_feedback(console, entry, **wrong)
    assert page.status_code == 302
    assert reason in console.get(page.headers["Location"]).text
    assert not ReplyFeedback.objects.exists()


def test_the_reply_must_be_of_the_entry(
    console: Client, entry: Entry, make_entry: MakeEntry
) -> None:
    other = make_entry("别的？", replies=["别的话"]).replies.get()
    assert post_feedback(console, entry, reply=other.pk, bare="1").status_code == 400


def test_feedback_is_for_shared_replies_only(
    console: Client, entry: Entry, agent: User, make_user: Callable[..., User]
) -> None:
    for owner in (agent, make_user("other", ROLE_AGENT)):
        own = Reply.objects.create(
            entry=entry, owner=owner, title="我的", body="自己的话"
        )
        assert post_feedback(console, entry, reply=own.pk, bare="1").status_code == 400
    page = console.get("/console/", {"entry": entry.pk}).text
    assert f'<option value="{own.pk}"' not in page
    assert not ReplyFeedback.objects.exists()


def test_hidden_entry_is_answered_like_a_missing_one(
    console: Client, entry: Entry, make_entry: MakeEntry
) -> None:
    entries.retire_entry(entry, by=None)
    draft = make_entry("草稿？", status="draft")
    answers = {
        (sent.status_code, sent.content)
        for gone in (entry, draft, Entry(pk=999_999))
        for sent in [
            console.post(URL, {"entry": gone.pk, "reason": "wrong", "bare": "1"})
        ]
    }
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    assert not ReplyFeedback.objects.exists()


def test_feedback_survives_retirement_of_its_entry(
    console: Client, entry: Entry
) -> None:
    post_feedback(console, entry)
    entries.retire_entry(entry, by=None)
    page = console.get(URL).text
    assert "条目已下线" in page
    assert entry.question not in page


def test_agents_give_feedback_and_editors_answer(
    client: Client, entry: Entry, make_user: Callable[..., User], agent: User
) -> None:
    assert post_feedback(client, entry).status_code == 302
    client.force_login(make_user("customer"))
    assert post_feedback(client, entry).status_code == 403
    assert not ReplyFeedback.objects.exists()
    client.force_login(agent)
    post_feedback(client, entry)
    feedback = ReplyFeedback.objects.get()
    assert client.get(DESK).status_code == 403
    assert client.post(f"{DESK}{feedback.pk}/", {"answer": "x"}).status_code == 403
    with pytest.raises(PermissionDenied):
        reply_feedback.answer_reply_feedback(feedback, answer="x", by=agent)


def test_too_long_feedback_is_refused(entry: Entry, agent: User) -> None:
    with pytest.raises(ValidationError):
        reply_feedback.add_reply_feedback(
            entry, by=agent, reason="wrong", words="长" * 501
        )
    with pytest.raises(ValidationError):
        reply_feedback.add_reply_feedback(entry, by=agent, reason="nonsense")


def test_answered_feedback_needs_an_answer(entry: Entry, agent: User) -> None:
    reply_feedback.add_reply_feedback(entry, by=agent, reason="wrong")
    with pytest.raises(IntegrityError), transaction.atomic():
        ReplyFeedback.objects.update(state="done")
