"""The list of answered questions: own ones, all, search, ratings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from kb.models import ROLE_AGENT, Question, User
from kb.questions import inquiries, triage
from tests.conftest import MakeQuestion

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(
    make_user: Callable[..., User], agent: User, make_question: MakeQuestion
) -> list[Question]:
    """Return two questions that the agent answered and one of a colleague."""
    other = make_user("other", ROLE_AGENT)
    texts = ("怎么退货", "怎么开票", "怎么寄")
    questions = [make_question(text, answer="") for text in texts]
    for question, by in zip(questions, (agent, agent, other), strict=True):
        triage.answer_question(question, answer=f"回复：{question.text}", by=by)
    return questions


def listed(client: Client, query: str = "") -> list[Question]:
    return list(client.get(f"/desk/answered/?{query}").context["page"])


def test_own_answers_are_listed_latest_first(
    client: Client, agent: User, three: list[Question]
) -> None:
    client.force_login(agent)
    assert listed(client) == [three[1], three[0]]
    assert listed(client, "who=all") == three[::-1]


def test_search_covers_question_and_answer(
    client: Client, agent: User, three: list[Question]
) -> None:
    client.force_login(agent)
    assert listed(client, "q=开票") == [three[1]]
    assert listed(client, "q=回复 退货") == [three[0]]
    assert listed(client, "q=寄") == []
    assert listed(client, "q=寄&who=all") == [three[2]]
    for hostile in ("q=%00", "q=%25", "q='--", "page=9999", "page=x", "who=x"):
        assert client.get(f"/desk/answered/?{hostile}").status_code == 200


def test_corrected_answers_are_listed(
    client: Client, agent: User, three: list[Question]
) -> None:
    client.force_login(agent)
    triage.correct_answer(three[2], answer="改", by=agent, based_on=1)
    assert three[2] in listed(client)


def test_rating_is_shown_beside_the_answer(client: Client, agent: User) -> None:
    submitted = inquiries.SubmittedInquiry(
        form_key="k", origin="https://faq.example.com"
    )
    inquiry = inquiries.submit_inquiry("问", details=submitted)
    triage.answer_question(inquiry.question, answer="答", by=agent)
    inquiry.refresh_from_db()
    inquiries.rate_inquiry(inquiry, score=2, comment="没看懂")
    client.force_login(agent)
    page = client.get("/desk/answered/").text
    assert "2 分" in page
    assert "没看懂" in page
    assert "没看懂" in client.get(f"/desk/answered/{inquiry.question_id}/").text
