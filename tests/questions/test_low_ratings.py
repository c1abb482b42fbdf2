"""Ratings of 1 or 2 are queued and shown with the answer in the inbox."""

from __future__ import annotations

import pytest
from django.test import Client

from kb.models import Inquiry, Question, User
from kb.quality import work_queue
from kb.questions import inquiries, triage
from tests.quality.test_work_queue import tabs

pytestmark = pytest.mark.django_db


@pytest.fixture
def rated(agent: User) -> Inquiry:
    details = inquiries.SubmittedInquiry(form_key="k", origin="https://faq.example.com")
    inquiry = inquiries.submit_inquiry("快递没收到怎么办", details=details)
    triage.answer_question(inquiry.question, answer="请等 3 天", by=agent)
    return rate(inquiry, 2, "等了五天了")


def rate(inquiry: Inquiry, score: int, comment: str = "") -> Inquiry:
    inquiry = Inquiry.objects.select_related("question").get(pk=inquiry.pk)
    return inquiries.rate_inquiry(inquiry, score=score, comment=comment)


def handle_low_score(client: Client, inquiry: Inquiry, do: str = "done") -> None:
    inquiry.refresh_from_db()
    assert inquiry.scored_at is not None
    sent = {"do": do, "seen": inquiry.scored_at.isoformat()}
    assert client.post(f"/desk/ratings/{inquiry.pk}/", sent).status_code == 302


def test_low_score_is_in_the_queue_with_its_comment(
    client: Client, agent: User, rated: Inquiry
) -> None:
    client.force_login(agent)
    page = client.get("/desk/ratings/")
    for text in ("快递没收到怎么办", "请等 3 天", "2 分", "等了五天了", str(agent)):
        assert text in page.text
    assert tabs(page)["低分评价"] == "1"
    assert work_queue.count_waiting_work(agent)["ratings"] == 1


@pytest.mark.parametrize(("score", "waits"), [(1, 1), (2, 1), (3, 0), (5, 0)])
def test_scores_of_one_and_two_are_low(
    agent: User, rated: Inquiry, score: int, waits: int
) -> None:
    rate(rated, score)
    assert work_queue.count_waiting_work(agent)["ratings"] == waits


def test_low_score_is_handled_once_and_can_be_reopened(
    client: Client, agent: User, rated: Inquiry
) -> None:
    client.force_login(agent)
    handle_low_score(client, rated)
    assert work_queue.count_waiting_work(agent)["ratings"] == 0
    assert "等了五天了" in client.get("/desk/ratings/?show=done").text
    page = client.get("/desk/ratings/").text
    assert "撤销：处理完" in page
    handle_low_score(client, rated, do="back")
    assert work_queue.count_waiting_work(agent)["ratings"] == 1


def test_changed_rating_is_not_marked_handled(
    client: Client, agent: User, rated: Inquiry
) -> None:
    client.force_login(agent)
    seen = rated.scored_at
    assert seen is not None
    rate(rated, 1, "更差了")
    sent = {"do": "done", "seen": seen.isoformat()}
    page = client.post(f"/desk/ratings/{rated.pk}/", sent, follow=True)
    assert "刚刚改过评分" in page.text
    assert work_queue.count_waiting_work(agent)["ratings"] == 1
    for forged in ("", "x", "2026-99-99", "0001-01-01T00:00:00"):
        client.post(f"/desk/ratings/{rated.pk}/", {"do": "done", "seen": forged})
    assert work_queue.count_waiting_work(agent)["ratings"] == 1


def test_new_rating_is_unhandled(client: Client, agent: User, rated: Inquiry) -> None:
    client.force_login(agent)
    handle_low_score(client, rated)
    rate(rated, 1)
    assert work_queue.count_waiting_work(agent)["ratings"] == 1


def test_inbox_shows_the_rating_with_the_answer(
    client: Client, editor: User, rated: Inquiry
) -> None:
    client.force_login(editor)
    page = client.get("/desk/inbox/").text
    assert Question.objects.get().answer in page
    assert "2 分" in page
    assert "等了五天了" in page
