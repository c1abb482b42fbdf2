"""Drafts of answers: no typed text is lost, and agents see who else is answering."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from kb.models import ROLE_AGENT, AnswerDraft, Inquiry, Question, User
from kb.questions import answers, inquiries, triage
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db
PASSWORD = "一壶好茶 2026"
TYPED = "写了十分钟\n第二行"
Status = Question.Status


@pytest.fixture
def inquiry(db: None) -> Inquiry:
    details = inquiries.SubmittedInquiry(form_key="k", origin="https://faq.example.com")
    return inquiries.submit_inquiry("快递没收到怎么办", details=details)


@pytest.fixture
def other(make_user: Callable[..., User]) -> User:
    return make_user("other", ROLE_AGENT, name="小茶")


@pytest.fixture
def desk(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


def list_hidden_fields(page: Any) -> dict[str, str]:
    """Return the hidden fields of the forms on `page`."""
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return {name: unescape(value) for name, value in found}


def url_of(inquiry: Inquiry) -> str:
    return f"/desk/asked/{inquiry.question_id}/"


# Expired sessions ---------------------------------------------------------------


def test_answer_typed_in_an_expired_session_is_saved(
    inquiry: Inquiry, agent: User, client: Client
) -> None:
    page = client.post(url_of(inquiry), {"answer": TYPED})
    assert page.status_code == 200
    form = list_hidden_fields(page)
    assert form["kept_text"] == TYPED
    assert not AnswerDraft.objects.exists()  # nothing is stored for a stranger
    wrong = client.post("/login/", form | {"username": "agent", "password": "falsch"})
    assert list_hidden_fields(wrong)["kept_text"] == TYPED
    sent = list_hidden_fields(wrong) | {"username": "agent", "password": PASSWORD}
    after = client.post("/login/", sent, follow=True)
    assert after.redirect_chain[-1][0] == f"/desk/asked/?question={inquiry.question_id}"
    assert f">{TYPED}</textarea>" in after.text
    assert Question.objects.get().status == Status.OPEN


def test_answer_typed_before_a_new_login_is_saved(
    inquiry: Inquiry, agent: User, client: Client
) -> None:
    form = list_hidden_fields(client.post(url_of(inquiry), {"answer": TYPED}))
    client.force_login(agent)
    page = client.post("/login/", form, follow=True)
    assert f">{TYPED}</textarea>" in page.text


def test_draft_for_an_answered_question_is_shown_with_its_answer(
    inquiry: Inquiry, agent: User, other: User, client: Client
) -> None:
    form = list_hidden_fields(client.post(url_of(inquiry), {"answer": TYPED}))
    triage.answer_question(inquiry.question, answer="同事回的", by=other)
    sent = form | {"username": "agent", "password": PASSWORD}
    page = client.post("/login/", sent, follow=True)
    assert f">{TYPED}</textarea>" in page.text
    assert "同事回的" in page.text


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 40, "424242", "１"])
def test_forged_question_id_of_a_draft_is_ignored(
    agent: User, client: Client, number: str
) -> None:
    sent = {"username": "agent", "password": PASSWORD}
    draft = {"kept_question": number, "kept_text": "x"}
    assert client.post("/login/", sent | draft).status_code == 302
    assert not AnswerDraft.objects.exists()


def test_anonymous_post_without_text_goes_to_login(
    inquiry: Inquiry, client: Client
) -> None:
    for sent in ({}, {"answer": "  "}):
        answer = client.post(url_of(inquiry), sent)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login/?next=/desk/asked/")


# Concurrent answers --------------------------------------------------------------


def test_second_answer_is_saved_as_a_draft(
    desk: Client, inquiry: Inquiry, other: User
) -> None:
    triage.answer_question(inquiry.question, answer="同事回的", by=other)
    page = desk.post(url_of(inquiry), {"answer": TYPED})
    assert page.status_code == 409
    for text in ("同事回的", f">{TYPED}</textarea>", "小茶先回复了", "作为更正发出"):
        assert text in page.text
    assert Question.objects.get().answer == "同事回的"
    listed = desk.get("/desk/asked/")  # after leaving that page it can be found
    assert f'href="/desk/answered/{inquiry.question_id}/"' in listed.text
    sent = list_hidden_fields(page) | {"answer": TYPED, "do": "correct"}
    desk.post(f"/desk/answered/{inquiry.question_id}/", sent)
    assert Question.objects.get().answer == TYPED
    assert not answers.list_orphaned_drafts(User.objects.get(username="agent")).exists()


def test_same_answer_posted_twice_is_no_conflict(
    desk: Client, inquiry: Inquiry
) -> None:
    for _ in range(2):
        assert desk.post(url_of(inquiry), {"answer": "好"}).status_code == 302
    assert not AnswerDraft.objects.exists()


def test_text_for_a_closed_question_is_kept(
    desk: Client, inquiry: Inquiry, editor: User
) -> None:
    triage.decline_question(inquiry.question, reason="无关", by=editor)
    page = desk.post(url_of(inquiry), {"answer": TYPED})
    assert page.status_code == 409
    assert f">{TYPED}</textarea>" in page.text
    assert "关闭了这个问题" in page.text
    triage.reopen_question(Question.objects.get(), by=editor)
    assert f">{TYPED}</textarea>" in desk.get("/desk/asked/").text


def test_text_for_a_deleted_question_is_shown_again(
    desk: Client, inquiry: Inquiry
) -> None:
    url = url_of(inquiry)
    Question.objects.all().delete()
    for address in (url, url.replace("asked", "answered")):
        page = desk.post(address, {"answer": TYPED})
        assert page.status_code == 404
        assert f"readonly>{TYPED}</textarea>" in page.text


def test_draft_can_be_discarded_and_restored(
    desk: Client, inquiry: Inquiry, other: User
) -> None:
    url = url_of(inquiry)
    page = desk.post(url, {"answer": TYPED, "do": "discard"}, follow=True)
    assert TYPED not in page.text
    assert "撤销丢弃" in page.text
    page = desk.post(url, {"answer": "", "do": "restore"}, follow=True)
    assert f">{TYPED}</textarea>" in page.text
    triage.answer_question(inquiry.question, answer="同事回的", by=other)
    url = url.replace("asked", "answered")
    page = desk.post(url, {"answer": TYPED, "do": "discard"}, follow=True)
    assert TYPED not in page.text
    page = desk.post(url, {"do": "restore"}, follow=True)
    assert f">{TYPED}</textarea>" in page.text


# Presence ---------------------------------------------------------------


def test_answering_colleague_is_named_without_a_lock(
    desk: Client, inquiry: Inquiry, other: User, make_question: MakeQuestion
) -> None:
    answers.save_draft_and_presence(inquiry.question, by=other, text="同事写到一半")
    page = desk.get(f"/desk/asked/?question={inquiry.question_id}")
    assert "小茶</strong> 正在回复" in page.text
    assert "同事写到一半" not in page.text
    assert desk.post(url_of(inquiry), {"answer": "我先"}).status_code == 302
    assert Question.objects.get().answer == "我先"
    assert answers.get_draft_text(inquiry.question, by=other) == "同事写到一半"


def test_presence_expires_and_ends(inquiry: Inquiry, agent: User, other: User) -> None:
    question = inquiry.question

    def names() -> list[str]:
        present = answers.list_others_answering([question], user=agent)
        return present.get(question.pk, [])

    answers.save_draft_and_presence(question, by=other, text=None)
    answers.save_draft_and_presence(question, by=agent, text=None)
    assert names() == ["小茶"]
    AnswerDraft.objects.update(present_until=timezone.now() - timedelta(seconds=1))
    assert names() == []
    answers.save_draft_and_presence(question, by=other, text="x")
    assert names() == ["小茶"]
    answers.clear_presence(question, by=other)
    assert names() == []
    assert answers.get_draft_text(question, by=other) == "x"


def test_next_question_skips_those_being_answered(
    desk: Client, inquiry: Inquiry, other: User
) -> None:
    details = inquiries.SubmittedInquiry(
        form_key="k2", origin="https://faq.example.com"
    )
    second = inquiries.submit_inquiry("第二个问题", details=details)
    assert desk.get("/desk/asked/").context["question"] == inquiry.question
    answers.save_draft_and_presence(inquiry.question, by=other, text=None)
    page = desk.get("/desk/asked/")
    assert page.context["question"] == second.question
    assert "小茶 正在回复" in page.text  # in the list


def test_heartbeat_saves_the_text_and_returns_colleagues(
    desk: Client, inquiry: Inquiry, agent: User, other: User
) -> None:
    url = f"{url_of(inquiry)}presence/"
    answers.save_draft_and_presence(inquiry.question, by=other, text=None)
    state = desk.post(url, {"answer": TYPED}).json()
    assert (state["others"], state["open"], state["who"]) == (["小茶"], True, "")
    assert f">{TYPED}</textarea>" in desk.get("/desk/asked/").text
    desk.post(url, {})  # without a text the old one stays
    assert answers.get_draft_text(inquiry.question, by=agent) == TYPED
    triage.answer_question(inquiry.question, answer="同事回的", by=other)
    state = desk.post(url, {"answer": TYPED + "3"}).json()
    assert (state["open"], state["who"]) == (False, "小茶")
    assert answers.get_draft_text(inquiry.question, by=agent) == TYPED + "3"
    desk.post(url, {"left": "1"})
    assert AnswerDraft.objects.get(by=agent).present_until is None


def test_viewing_a_question_writes_nothing(desk: Client, inquiry: Inquiry) -> None:
    desk.get("/desk/asked/")
    desk.get(f"{url_of(inquiry)}presence/")
    assert not AnswerDraft.objects.exists()


def test_presence_needs_a_login(client: Client, inquiry: Inquiry) -> None:
    url = f"{url_of(inquiry)}presence/"
    for sent in ({}, {"answer": TYPED}):
        assert client.post(url, sent).status_code == 302  # a script can tell
    assert client.get(url).status_code == 302


def test_drafts_are_deleted_after_a_month(inquiry: Inquiry, agent: User) -> None:
    answers.save_draft_and_presence(inquiry.question, by=agent, text="x")
    inquiries.retry_mail_and_erase_contacts()
    assert AnswerDraft.objects.exists()
    old = timezone.now() - answers.ANSWER_DRAFT_RETENTION * 1.01
    AnswerDraft.objects.update(updated_at=old)
    inquiries.retry_mail_and_erase_contacts()
    assert not AnswerDraft.objects.exists()


# The answer of an entry ---------------------------------------------------------------


def test_an_entry_fills_the_box_and_sends_nothing(
    desk: Client, inquiry: Inquiry, make_entry: MakeEntry
) -> None:
    entry = make_entry("快递没收到怎么办？", "先问**门卫**。")
    page = desk.post(url_of(inquiry), {"do": f"fill-{entry.pk}", "answer": "亲，"})
    assert ">亲，\n\n先问门卫。</textarea>" in page.text
    assert Question.objects.get().status == Status.OPEN
    again = desk.post(url_of(inquiry), list_hidden_fields(page) | {"do": "unfill"})
    assert ">亲，</textarea>" in again.text


def test_retired_entry_fills_nothing_and_text_is_kept(
    client: Client, inquiry: Inquiry, editor: User, make_entry: MakeEntry
) -> None:
    from kb.library import entries

    entry = make_entry("快递没收到怎么办？", "先问门卫。")
    client.force_login(editor)
    entries.retire_entry(entry, by=None)
    sent: dict[str, Any] = {"answer": TYPED, "entry": entry.pk}
    page = client.post(url_of(inquiry), sent)
    assert (page.status_code, "刚刚下线了" in page.text) == (400, True)
    assert f">{TYPED}</textarea>" in page.text
    assert Question.objects.get().status == Status.OPEN
