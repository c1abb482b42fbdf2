"""Questions in the admin: text can be corrected, triage is done in the inbox."""

from __future__ import annotations

import pytest
from django.test import Client

from kb.models import Question, User
from kb.questions import triage
from tests.admin_forms import post_change, read_form
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db


def test_posted_triage_fields_are_ignored(
    desk: Client, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    question, entry = make_question(), make_entry()
    post_change(
        desk, question, text="改了错字", status="settled", entry=entry.pk, reason="x"
    )
    question.refresh_from_db()
    assert question.text == "改了错字"
    assert (question.status, question.entry, question.reason) == ("answered", None, "")


def test_answered_question_waits_for_triage(
    desk: Client, make_question: MakeQuestion
) -> None:
    question = make_question(answer="")
    post_change(desk, question, answer="答案在此。")
    question.refresh_from_db()
    assert question.status == "answered"


def test_answer_cannot_be_removed(desk: Client, make_question: MakeQuestion) -> None:
    page = post_change(desk, make_question(), answer="").content.decode()
    assert "没有回答的问题只能是待回答。" in page


def test_questions_are_added_by_hand(desk: Client) -> None:
    data = read_form(desk, "/admin/kb/question/add/")
    day = {"asked_at_0": "2026-07-01", "asked_at_1": "08:00"}
    for text, answer in [("有回答", "答"), ("没有回答", "")]:
        typed = {"text": text, "answer": answer, **day}
        desk.post("/admin/kb/question/add/", {**data, **typed})
    statuses = Question.objects.order_by("pk").values_list("text", "status")
    assert list(statuses) == [("有回答", "answered"), ("没有回答", "open")]


def test_merged_question_cannot_be_deleted(
    desk: Client, editor: User, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    counted, loose = make_question("计入"), make_question("没计入")
    triage.settle_question(counted, entry=make_entry(), by=editor)
    for question in (counted, loose):
        desk.post(f"/admin/kb/question/{question.pk}/delete/", {"post": "yes"})
    data = {
        "action": "delete_selected",
        "_selected_action": [counted.pk],
        "post": "yes",
    }
    desk.post("/admin/kb/question/", data)
    assert [q.text for q in Question.objects.all()] == ["计入"]
