"""Answers can be recalled for ten seconds and corrected with a mark afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from kb.models import (
    ROLE_AGENT,
    AnswerVersion,
    AuditEvent,
    Channel,
    Inquiry,
    Question,
    User,
)
from kb.operations.jobs.tasks import get_task
from kb.questions import answers, inquiries, triage
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db
Status = Question.Status


@pytest.fixture
def inquiry(db: None) -> Inquiry:
    details = inquiries.SubmittedInquiry(
        form_key="k", origin="https://faq.example.com", contact="kid@example.com"
    )
    return inquiries.submit_inquiry("快递没收到怎么办", details=details)


@pytest.fixture
def mail_on(settings: Any) -> None:
    settings.KB_MAIL = True
    settings.DEFAULT_FROM_EMAIL = "help@example.com"


@pytest.fixture
def other(make_user: Callable[..., User]) -> User:
    return make_user("other", ROLE_AGENT)


@pytest.fixture
def desk(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


def own_page(inquiry: Inquiry) -> str:
    return Client().get(f"/q/{inquiry.token}/").text


def send_answer(desk: Client, inquiry: Inquiry, text: str = "请等 3 天") -> Any:
    return desk.post(f"/desk/asked/{inquiry.question_id}/", {"answer": text})


def let_time_pass() -> None:
    """Move the times of versions as if the recall period were over."""
    now = timezone.now()
    AnswerVersion.objects.update(visible_from=now, mail_after=now)


# The recall period --------------------------------------------------------------------


def test_answer_is_visible_after_the_recall_period(
    desk: Client, inquiry: Inquiry
) -> None:
    send_answer(desk, inquiry)
    version = AnswerVersion.objects.get()
    assert answers.get_recall_deadline(version) - version.at == timedelta(seconds=10)
    assert version.visible_from - version.at >= timedelta(seconds=10)
    page = own_page(inquiry)
    assert "请等 3 天" not in page
    assert "已收到" in page
    rated = Client().post(f"/q/{inquiry.token}/rate/", {"score": "1"})
    assert rated.status_code == 400
    let_time_pass()
    assert "请等 3 天" in own_page(inquiry)


def test_no_mail_is_sent_in_the_recall_period(
    desk: Client,
    inquiry: Inquiry,
    mail_on: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        send_answer(desk, inquiry)
    assert not inquiries.has_due_answer_mail()
    assert inquiries.mail_due_answers() == 0
    assert mail.outbox == []
    let_time_pass()
    assert inquiries.has_due_answer_mail()
    assert inquiries.mail_due_answers() == 1  # any process may send it: the row is due
    assert inquiries.mail_due_answers() == 0
    assert "请等 3 天" in str(mail.outbox[0].body)


def test_scheduler_mails_due_answers_within_seconds(
    desk: Client, inquiry: Inquiry, mail_on: None
) -> None:
    task = get_task("answer-mail")
    assert task is not None
    assert task.has_work is not None
    assert task.interval <= timedelta(seconds=10)
    send_answer(desk, inquiry)
    assert not task.has_work()
    let_time_pass()
    assert task.has_work()
    assert "1 封" in task.run()
    assert len(mail.outbox) == 1


def test_recalled_answer_is_never_visible_and_returns_to_the_form(
    desk: Client, inquiry: Inquiry, mail_on: None
) -> None:
    send_answer(desk, inquiry)
    page = desk.get("/desk/asked/").text
    url = f"/desk/answered/{inquiry.question_id}/take-back/"
    assert url in page
    answer = desk.post(url, follow=True)
    assert (
        answer.redirect_chain[-1][0] == f"/desk/asked/?question={inquiry.question_id}"
    )
    assert ">请等 3 天</textarea>" in answer.text
    question = Question.objects.get()
    assert (question.status, question.answer) == (Status.OPEN, "")
    assert (question.answered_by, question.answered_at) == (None, None)
    let_time_pass()
    assert inquiries.mail_due_answers() == 0
    assert "已收到" in own_page(inquiry)
    assert AuditEvent.objects.filter(act=AuditEvent.Action.ANSWER_RECALLED).exists()


def test_recall_is_refused_after_the_recall_period(
    desk: Client, inquiry: Inquiry
) -> None:
    send_answer(desk, inquiry)
    let_time_pass()
    url = f"/desk/answered/{inquiry.question_id}/take-back/"
    answer = desk.post(url, follow=True)
    assert "超过 10 秒" in answer.text
    assert "作为更正发出" in answer.text
    assert "请等 3 天" in own_page(inquiry)


def test_recall_ends_before_the_answer_is_visible(
    desk: Client, inquiry: Inquiry
) -> None:
    """A margin for slow commits and clocks: a recalled answer is never readable."""
    send_answer(desk, inquiry)
    AnswerVersion.objects.update(visible_from=timezone.now() + answers.RECALL_MARGIN)
    desk.post(f"/desk/answered/{inquiry.question_id}/take-back/")
    assert Question.objects.get().answer == "请等 3 天"
    assert "请等 3 天" not in own_page(inquiry)
    assert desk.get("/desk/answered/").context["recallable"] == []


def test_answer_of_a_colleague_cannot_be_recalled(
    desk: Client, inquiry: Inquiry, other: User
) -> None:
    triage.answer_question(
        inquiry.question, answer="好", by=other, recall_period=answers.RECALL_PERIOD
    )
    desk.post(f"/desk/answered/{inquiry.question_id}/take-back/")
    assert Question.objects.get().answer == "好"


def test_recall_releases_the_entry_of_the_question(
    client: Client, inquiry: Inquiry, editor: User, make_entry: MakeEntry
) -> None:
    entry = make_entry("快递没收到怎么办？", "先问门卫。")
    client.force_login(editor)
    url = f"/desk/asked/{inquiry.question_id}/"
    client.post(url, {"answer": "亲，先问门卫。", "entry": entry.pk})
    assert Question.objects.get().status == Status.SETTLED
    client.post(f"/desk/answered/{inquiry.question_id}/take-back/")
    question = Question.objects.get()
    assert (question.status, question.entry) == (Status.OPEN, None)


def test_recall_is_refused_after_triage_by_a_colleague(
    desk: Client, inquiry: Inquiry, editor: User, make_entry: MakeEntry
) -> None:
    send_answer(desk, inquiry)
    question = Question.objects.get()
    triage.settle_question(question, entry=make_entry(), by=editor)
    answer = desk.post(f"/desk/answered/{question.pk}/take-back/", follow=True)
    assert "整理进条目" in answer.text
    assert Question.objects.get().answer == "请等 3 天"


def test_recall_works_without_an_inquiry(
    desk: Client, make_question: MakeQuestion
) -> None:
    question = make_question("记下的", answer="")
    desk.post(f"/desk/asked/{question.pk}/", {"answer": "这样做"})
    answer = desk.post(f"/desk/answered/{question.pk}/take-back/", follow=True)
    assert answer.redirect_chain[-1][0] == f"/desk/recorded/?question={question.pk}"
    assert ">这样做</textarea>" in answer.text


# Corrections ------------------------------------------------------------------------


def test_a_correction_is_marked_for_the_customer_and_mailed(
    desk: Client, inquiry: Inquiry, mail_on: None
) -> None:
    send_answer(desk, inquiry)
    let_time_pass()
    inquiries.mail_due_answers()
    assert "已更正" not in own_page(inquiry)
    url = f"/desk/answered/{inquiry.question_id}/"
    page = desk.get(url).text
    assert 'name="based_on" value="1"' in page
    desk.post(url, {"answer": "请等 5 天", "based_on": "1"})
    assert "请等 3 天" in own_page(inquiry)  # the correction can be taken back
    assert inquiries.mail_due_answers() == 0
    let_time_pass()
    page = own_page(inquiry)
    assert "请等 5 天" in page
    assert "请等 3 天" not in page
    assert "已更正" in page
    assert inquiries.mail_due_answers() == 1
    assert "更正" in mail.outbox[1].subject
    assert "请等 5 天" in str(mail.outbox[1].body)


def test_every_version_has_author_time_and_audit_event(
    desk: Client, inquiry: Inquiry, agent: User, other: User
) -> None:
    send_answer(desk, inquiry)
    triage.correct_answer(Question.objects.get(), answer="改", by=other, based_on=1)
    versions = AnswerVersion.objects.values_list("number", "text", "by__username")
    assert list(versions) == [(1, "请等 3 天", "agent"), (2, "改", "other")]
    question = Question.objects.get()
    assert (question.answer, question.answered_by) == ("改", agent)
    assert question.answered_at is not None
    acts = AuditEvent.objects.order_by("pk").values_list("act", "by__username")
    assert ("answered", "agent") in acts
    assert ("corrected", "other") in acts
    page = desk.get(f"/desk/answered/{question.pk}/").text
    assert "第 2 版" in page
    assert "请等 3 天" in page


def test_recalled_correction_restores_the_previous_version(
    desk: Client, inquiry: Inquiry
) -> None:
    send_answer(desk, inquiry)
    let_time_pass()
    url = f"/desk/answered/{inquiry.question_id}/"
    desk.post(url, {"answer": "错的", "based_on": "1"})
    answer = desk.post(f"{url}take-back/", follow=True)
    assert ">错的</textarea>" in answer.text
    question = Question.objects.get()
    assert (question.status, question.answer) == (Status.ANSWERED, "请等 3 天")
    assert "已更正" not in own_page(inquiry)


def test_correction_of_an_old_version_conflicts_and_keeps_the_text(
    desk: Client, inquiry: Inquiry, other: User
) -> None:
    send_answer(desk, inquiry)
    triage.correct_answer(
        Question.objects.get(), answer="同事的更正", by=other, based_on=1
    )
    url = f"/desk/answered/{inquiry.question_id}/"
    answer = desk.post(url, {"answer": "我的更正", "based_on": "1"})
    assert answer.status_code == 409
    assert ">我的更正</textarea>" in answer.text
    assert "同事的更正" in answer.text
    assert Question.objects.get().answer == "同事的更正"
    assert ">我的更正</textarea>" in desk.get(url).text  # and the next time, too


@pytest.mark.parametrize("text", ["", "   ", "好了"])
def test_an_empty_or_equal_correction_is_refused(
    inquiry: Inquiry, agent: User, text: str
) -> None:
    question = triage.answer_question(inquiry.question, answer="好了", by=agent)
    with pytest.raises(ValidationError):
        triage.correct_answer(question, answer=text, by=agent, based_on=1)
    assert Question.objects.get().answer == "好了"


def test_open_question_cannot_be_corrected(inquiry: Inquiry, agent: User) -> None:
    with pytest.raises(ValidationError):
        triage.correct_answer(inquiry.question, answer="好", by=agent, based_on=1)


def test_correcting_and_recalling_need_the_answer_permission(
    inquiry: Inquiry, make_user: Callable[..., User]
) -> None:
    stranger = make_user("stranger")
    triage.answer_question(inquiry.question, answer="好", by=None)
    with pytest.raises(PermissionDenied):
        triage.correct_answer(inquiry.question, answer="坏", by=stranger, based_on=1)
    with pytest.raises(PermissionDenied):
        triage.recall_answer(inquiry.question, by=stranger)


def test_answer_without_versions_can_be_corrected(
    inquiry: Inquiry, agent: User
) -> None:
    Question.objects.update(answer="以前的", status=Status.ANSWERED)
    assert "以前的" in own_page(inquiry)
    triage.correct_answer(Question.objects.get(), answer="新的", by=agent, based_on=1)
    texts = AnswerVersion.objects.values_list("text", flat=True)
    assert list(texts) == ["以前的", "新的"]
    assert "已更正" in own_page(inquiry)


# Author and time, for every way of answering --------------------------------------------


def test_recorded_answer_belongs_to_the_recording_agent(
    desk: Client, agent: User
) -> None:
    sent = {"text": "怎么退", "answer": "点退货", "channel": Channel.PHONE}
    desk.post("/console/capture/", sent)
    question = Question.objects.get()
    assert question.answered_by == agent
    assert question.answered_at is not None


def test_answer_from_the_admin_has_an_author_and_is_mailed(
    client: Client, inquiry: Inquiry, editor: User
) -> None:
    client.force_login(editor)
    url = f"/admin/kb/question/{inquiry.question_id}/change/"
    form = client.get(url).context["adminform"].form
    asked_at = timezone.localtime(inquiry.question.asked_at)
    sent = {name: form[name].value() or "" for name in form.fields}
    sent |= {
        "asked_at_0": asked_at.strftime("%Y-%m-%d"),
        "asked_at_1": asked_at.strftime("%H:%M:%S"),
        "answer": "后台回复的",
    }
    assert client.post(url, sent).status_code == 302
    question = Question.objects.get()
    assert (question.answered_by, question.status) == (editor, Status.ANSWERED)
    assert AnswerVersion.objects.get().by == editor
    assert "后台回复的" in own_page(inquiry)
    stale = client.post(url, sent | {"answer": "晚了一步"})
    assert stale.status_code == 200
    assert "有人刚刚改过回答" in stale.text
    assert "晚了一步" in stale.text
    assert Question.objects.get().answer == "后台回复的"


def test_imported_answer_belongs_to_the_importing_user(
    inquiry: Inquiry, lead: User, tmp_path: Any
) -> None:
    Question.objects.update(source="s", external_id="7")
    path = tmp_path / "q.csv"
    path.write_text("编号,来源,问题,回答\n7,s,快递没收到怎么办,导入的回答\n", "utf-8")
    call_command("kb_import", "questions", str(path), verbosity=0)
    question = Question.objects.get()
    assert question.answer == "导入的回答"
    assert question.answered_at is not None
    assert AnswerVersion.objects.get().text == "导入的回答"
    assert "导入的回答" in own_page(inquiry)
