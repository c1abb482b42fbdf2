"""Closing, returning and answering at the desk can be undone without losing text."""

from __future__ import annotations

import pytest
from django.test import Client

from kb.models import (
    AuditEvent,
    Inquiry,
    Question,
    Reply,
    ReplyFeedback,
    ReplyProposal,
    User,
)
from kb.questions import inquiries, reply_feedback
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def inquiry(db: None) -> Inquiry:
    submitted = inquiries.SubmittedInquiry(
        form_key="k", origin="https://faq.example.com"
    )
    return inquiries.submit_inquiry("买粉吗", details=submitted)


def test_closing_a_question_is_undone(desk: Client, inquiry: Inquiry) -> None:
    url = f"/desk/asked/{inquiry.question_id}/"
    desk.post(url, {"do": "decline", "reason": "无关"})
    assert "撤销：不回复" in desk.get("/desk/asked/").text
    page = desk.post(url, {"do": "reopen"}, follow=True)
    assert page.context["question"] == inquiry.question
    assert Question.objects.get().status == Question.Status.OPEN
    assert "撤销：不回复" not in page.text
    actions = set(AuditEvent.objects.values_list("act", flat=True))
    assert {"declined", "reopened"} <= actions
    own = Client().get(f"/q/{inquiry.token}/").text
    assert "已收到" in own


def test_agents_may_not_reopen_a_closed_question(
    client: Client, agent: User, editor: User, inquiry: Inquiry
) -> None:
    from kb.questions import triage

    triage.decline_question(inquiry.question, reason="无关", by=editor)
    client.force_login(agent)
    url = f"/desk/asked/{inquiry.question_id}/"
    assert client.post(url, {"do": "reopen"}).status_code == 403
    page = client.get(f"/desk/asked/?question={inquiry.question_id}", follow=True).text
    assert "关闭了这个问题" in page
    assert "重新打开" not in page.replace("请编辑重新打开", "")


@pytest.fixture
def feedback(make_entry: MakeEntry, agent: User) -> ReplyFeedback:
    return reply_feedback.add_reply_feedback(
        make_entry(replies=["亲"]), by=agent, reason="wrong"
    )


def test_undone_feedback_answer_is_back_in_its_field(
    desk: Client, feedback: ReplyFeedback
) -> None:
    url = f"/desk/remarks/{feedback.pk}/"
    page = desk.post(url, {"answer": "改好了"}, follow=True).text
    assert "撤销：答复" in page
    page = desk.post(url, {"do": "undo"}, follow=True).text
    assert 'value="改好了"' in page
    feedback.refresh_from_db()
    assert (feedback.state, feedback.answer, feedback.done_by) == ("open", "", None)


def test_seen_feedback_answer_is_not_undone(
    desk: Client, feedback: ReplyFeedback, agent: User
) -> None:
    url = f"/desk/remarks/{feedback.pk}/"
    desk.post(url, {"answer": "改好了"})
    reply_feedback.mark_answers_seen(agent)
    page = desk.post(url, {"do": "undo"}, follow=True).text
    assert "已经看到答复" in page
    feedback.refresh_from_db()
    assert feedback.answer == "改好了"
    assert "撤销：答复" not in page


def test_second_feedback_answer_is_kept_in_its_field(
    desk: Client, feedback: ReplyFeedback, lead: User
) -> None:
    reply_feedback.answer_reply_feedback(feedback, answer="主管答的", by=lead)
    url = f"/desk/remarks/{feedback.pk}/"
    page = desk.post(url, {"answer": "我写了很久"}, follow=True).text
    assert "我写了很久" in page


def test_returning_a_proposal_is_undone_and_keeps_the_reason(
    desk: Client, agent: User
) -> None:
    reply = Reply.objects.create(owner=agent, title="好评", body="亲")
    proposal = ReplyProposal.objects.create(reply=reply, by=agent)
    url = f"/desk/proposals/{proposal.pk}/"
    page = desk.post(url, {"do": "return", "reason": "太长"}, follow=True).text
    assert "撤销：退回" in page
    page = desk.post(url, {"do": "undo"}, follow=True).text
    proposal.refresh_from_db()
    assert proposal.state == ReplyProposal.State.WAITING
    assert 'value="太长"' in page
    assert "撤销：退回" not in page


def test_return_is_not_undone_after_a_new_proposal(desk: Client, agent: User) -> None:
    reply = Reply.objects.create(owner=agent, title="好评", body="亲")
    proposal = ReplyProposal.objects.create(reply=reply, by=agent)
    url = f"/desk/proposals/{proposal.pk}/"
    desk.post(url, {"do": "return", "reason": "太长"})
    ReplyProposal.objects.create(reply=reply, by=agent)
    page = desk.post(url, {"do": "undo"}, follow=True).text
    assert "重新提议" in page
    assert desk.post("/desk/proposals/424242/", {"do": "undo"}).status_code == 302
