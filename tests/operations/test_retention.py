"""Personal data expires, also in open questions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from kb.models import (
    AnswerDraft,
    AnswerVersion,
    Autosave,
    CopyEvent,
    ImportBatch,
    ImportedRow,
    Inquiry,
    InquiryAttachment,
    PracticeAttempt,
    Question,
    Search,
    SearchGap,
    SearchGapSpelling,
    User,
    Vote,
)
from kb.operations import jobs, privacy
from kb.questions import inquiries, intake
from kb.text.chinese import normalize
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
DAYS = {"questions": 20, "inquiries": 10, "searches": 5, "votes": 8}
DAYS |= {"drafts": 3, "practice": 30, "imports": 4, "audit": 700, "deleted": 6}
SAID = "我叫张伟，订单20261130998877"


@pytest.fixture(autouse=True)
def _days(settings: Any) -> None:
    settings.KB_RETENTION_DAYS = dict(DAYS)


def ago(days: float) -> Any:
    return timezone.now() - timedelta(days=days)


def inquiry(days: float, answer: str = "") -> Inquiry:
    """Return a question that a customer asked so long ago, with all that came along."""
    asked = inquiries.SubmittedInquiry(
        form_key=f"{days}{answer}",
        origin="https://faq.example.com",
        contact="13812345678",
        words="退款",
        page="/q/1/",
    )
    made = inquiries.submit_inquiry(SAID, details=asked)
    InquiryAttachment.objects.create(inquiry=made, body=b"x", place=1)
    status = Question.Status.ANSWERED if answer else Question.Status.OPEN
    Question.objects.filter(pk=made.question_id).update(
        asked_at=ago(days), answer=answer, status=status
    )
    return made


def test_questions_are_masked_or_deleted_after_their_days(agent: User) -> None:
    answered = inquiry(21, "亲，张女士，已经退了。").question
    young = inquiry(19, "好。").question
    AnswerVersion.objects.create(
        question=answered, number=1, text="亲，张女士，已经退了。"
    )
    AnswerDraft.objects.create(question=answered, by=agent, text="亲，张女士")
    open_one = inquiry(21).question
    declined = intake.record_question("骂人", answer="好", asked_at=ago(21))
    Question.objects.filter(pk=declined.pk).update(status="declined", reason="无关")
    assert privacy.delete_expired_personal_data() > 0
    assert set(Question.objects.all()) == {answered, young}
    assert answered.answer_versions.get().text == "亲，***女士，已经退了。"
    assert not answered.answer_drafts.exists()
    answered.refresh_from_db()
    young.refresh_from_db()
    assert answered.text == "我叫***，订单***"
    assert answered.answer == "亲，***女士，已经退了。"
    assert answered.text_key == normalize.compute_spelling_key(answered.text)
    assert young.text == SAID
    assert not Question.objects.filter(pk=open_one.pk).exists()
    assert privacy.delete_expired_personal_data() == 0


def test_inquiries_expire_also_when_unanswered() -> None:
    old, answered, young = inquiry(11), inquiry(11, "好。"), inquiry(9)
    privacy.delete_expired_personal_data()
    for row, kept in ((old, False), (answered, False), (young, True)):
        row.refresh_from_db()
        assert bool(row.contact) is kept
        assert bool(row.words) is kept
        assert bool(row.page) is kept
        assert row.attachments.exists() is kept


def test_the_nightly_command_forgets_open_questions_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inquiries, "INQUIRY_RETENTION", timedelta(days=10))
    old = inquiry(11)
    inquiries.retry_mail_and_erase_contacts()
    old.refresh_from_db()
    assert old.contact == ""


def test_searches_copies_and_gaps(agent: User, make_entry: MakeEntry) -> None:
    entry = make_entry()
    for days in (4, 6):
        Search.objects.create(
            words="退款", side="public", results=0, created_at=ago(days)
        )
        CopyEvent.objects.create(entry=entry, by=agent, words="退款", at=ago(days))
        gap = SearchGap.objects.create(words="我叫张伟，退款", last_at=ago(days))
        SearchGapSpelling.objects.create(
            gap=gap, words=SAID, words_key=str(days), side="public", last_at=ago(days)
        )
    privacy.delete_expired_personal_data()
    assert Search.objects.count() == 1
    assert sorted(CopyEvent.objects.values_list("words", flat=True)) == ["", "退款"]
    words = set(SearchGap.objects.values_list("words", flat=True))
    assert words == {"我叫***，退款", "我叫张伟，退款"}
    spellings = set(SearchGapSpelling.objects.values_list("words", flat=True))
    assert spellings == {"我叫***，订单***", SAID}


def test_votes_drafts_practice_and_imports(editor: User, make_entry: MakeEntry) -> None:
    entry = make_entry()
    question = intake.record_question("退货邮费", answer="好")
    for person, days in (("a", 7), ("b", 9)):
        Vote.objects.create(
            entry=entry, person=person, helpful=False, note="没写", created_at=ago(days)
        )
    for days in (2, 4):
        row = Autosave.objects.create(by=editor, title=SAID, fields=[["answer", SAID]])
        Autosave.objects.filter(pk=row.pk).update(at=ago(days))
    for days in (29, 31):
        tried = {"user": editor, "question": question, "given": entry, "right": True}
        PracticeAttempt.objects.create(**tried, at=ago(days))
    for days in (3, 5):
        batch = ImportBatch.objects.create(kind="questions", name="a.csv", by=editor)
        ImportBatch.objects.filter(pk=batch.pk).update(at=ago(days))
        ImportedRow.objects.create(batch=batch, row=1, title=SAID, after={"text": SAID})
    privacy.delete_expired_personal_data()
    assert sorted(Vote.objects.values_list("note", flat=True)) == ["", "没写"]
    assert Autosave.objects.count() == 1
    assert PracticeAttempt.objects.count() == 1
    assert (ImportBatch.objects.count(), ImportedRow.objects.count()) == (2, 1)


def test_nought_days_is_for_ever(settings: Any) -> None:
    settings.KB_RETENTION_DAYS = dict.fromkeys(DAYS, 0)
    old = inquiry(9000)
    assert privacy.delete_expired_personal_data() == 0
    old.refresh_from_db()
    assert old.contact


def test_it_runs_by_itself_and_with_the_nightly_command() -> None:
    inquiry(21)
    task = jobs.get_task("retention")
    assert task is not None
    jobs.run_task(task)
    assert not Question.objects.exists()
    inquiry(21)
    call_command("kb_learn")
    assert not Question.objects.exists()
