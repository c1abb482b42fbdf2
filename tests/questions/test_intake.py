"""The form that records a question of a customer (Alt+N), also without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from kb.models import CustomerSegment, Module, Question, User

URL = "/console/capture/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def console(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


def post_question(client: Client, address: str = URL, **more: Any) -> Any:
    data = {"text": "运费险怎么赔？", "answer": "", "channel": "wechat"}
    return client.post(address, {**data, **more})


def test_recorded_question_with_answer_is_in_the_inbox(
    console: Client, agent: User, editor: User
) -> None:
    module = Module.objects.create(name="物流")
    CustomerSegment.objects.create(name="高净值客户")
    more: dict[str, Any] = {"module": module.pk, "segment": "高净值客户", "q": "运费险"}
    sent = post_question(console, answer="最高赔 12 元。", **more)
    assert sent.headers["Location"] == "/console/?q=%E8%BF%90%E8%B4%B9%E9%99%A9"
    question = Question.objects.get()
    assert question.status == Question.Status.ANSWERED
    assert (question.text, question.answer) == ("运费险怎么赔？", "最高赔 12 元。")
    assert (question.channel, question.module) == ("wechat", module)
    assert question.segment == "高净值客户"
    assert (question.source, question.recorded_by) == ("console", agent)
    desk = Client()
    desk.force_login(editor)
    page = desk.get("/desk/inbox/").text
    assert "运费险怎么赔？" in page
    assert f"{agent} 记录" in page


def test_recorded_question_without_answer_is_open(console: Client) -> None:
    page = console.get("/console/").text  # where the message is read
    assert "记一条" in page
    post_question(console)
    assert Question.objects.get().status == Question.Status.OPEN
    assert "还没有回答" in console.get("/console/").text


def test_form_starts_with_the_search_and_the_last_channel(
    console: Client,
) -> None:
    post_question(console, channel="qianniu")
    form = console.get(URL, {"q": " 運費險\u200b 怎么赔 "}).context["form"]
    assert form["text"].value() == "運費險 怎么赔"
    assert form["channel"].value() == "qianniu"


def test_the_channel_of_a_colleague_is_not_remembered(
    console: Client, make_user: Callable[..., User]
) -> None:
    other = Client()
    other.force_login(make_user("other", "客服"))
    post_question(other, channel="qianniu")
    assert console.get(URL).context["form"]["channel"].value() == "other"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"text": ""}, "请写下客户问了什么"),
        ({"text": "\u200b\x00"}, "请写下客户问了什么"),
        ({"text": "长" * 2001}, "2000"),
        ({"answer": "长" * 10_001}, "10000"),
        ({"channel": "fax"}, "fax"),
        ({"segment": "外星人"}, "选"),
        ({"module": "x"}, "选"),
        ({"module": "9" * 30}, "选"),
        ({"module": "-1"}, "选"),
    ],
)
@pytest.mark.parametrize("address", [URL, URL + "?fragment=form"])
def test_invalid_form_is_refused_and_keeps_its_text(
    console: Client, wrong: dict[str, Any], reason: str, address: str
) -> None:
    sent = post_question(console, address, **{"answer": "先这样答", **wrong})
    assert sent.status_code == 400
    assert reason in sent.text
    assert wrong.get("answer", "先这样答") in sent.text
    assert not Question.objects.exists()


def test_fragment_request_returns_a_message(console: Client) -> None:
    form = console.get(URL, {"fragment": "form", "q": "运费"})
    assert "<html" not in form.text
    sent = post_question(console, URL + "?fragment=form", answer="赔。")
    assert (sent.status_code, sent.text) == (201, "已记下，编辑会在收件箱里整理。")


def test_recording_is_for_agents_only(
    client: Client, make_user: Callable[..., User]
) -> None:
    assert post_question(client).status_code == 302
    client.force_login(make_user("customer"))
    assert post_question(client).status_code == 403
    assert client.get(URL).status_code == 403
    assert not Question.objects.exists()


def test_csrf_token_is_required(agent: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(agent)
    assert post_question(strict).status_code == 403
    assert not Question.objects.exists()
