"""Old answers get a name and a time where these are known."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from kb import inquiries
from kb.models import AnswerVersion, Inquiry, Question, User
from tests.conftest import MakeQuestion

pytestmark = pytest.mark.django_db
record_known = import_module("kb.migrations.0049_known_answers").record_known
CHANGED = '[{"changed": {"fields": ["回答", "产品模块"]}}]'


def log(question: Question, user: User, message: str) -> LogEntry:
    kind = ContentType.objects.get_for_model(Question)
    return LogEntry.objects.create(
        user=user,
        content_type=kind,
        object_id=str(question.pk),
        action_flag=CHANGE,
        change_message=message,
    )


def old(question: Question) -> Question:
    """Return the row as it was before versions and names were kept."""
    AnswerVersion.objects.all().delete()
    Question.objects.update(answered_by=None, answered_at=None)
    question.refresh_from_db()
    return question


def test_the_log_of_the_admin_names_who_answered_last(
    editor: User, lead: User, make_question: MakeQuestion
) -> None:
    question = old(make_question())
    log(question, lead, CHANGED)
    latest = log(question, editor, CHANGED)
    log(question, lead, '[{"changed": {"fields": ["渠道"]}}]')
    for strange in ("", "[]", "{", '"x"', "[1]", "改了 回答"):
        log(question, lead, strange)
    record_known(apps, None)
    question.refresh_from_db()
    assert question.answered_by == editor
    assert question.answered_at == latest.action_time


def test_a_mail_tells_when_and_the_answer_becomes_version_1() -> None:
    asked = inquiries.Asked(form_key="k", origin="https://x.example", contact="a@b.co")
    inquiry = inquiries.ask("问", asked=asked)
    Question.objects.update(answer="答", status="answered")
    told = timezone.now() - timedelta(days=3)
    Inquiry.objects.update(told_at=told)
    record_known(apps, None)
    question = Question.objects.get()
    assert (question.answered_by, question.answered_at) == (None, told)
    version = inquiry.question.answer_versions.get()
    assert (version.number, version.text, version.visible_from) == (1, "答", told)
    assert version.mailed_at == told


def test_what_is_not_known_stays_unknown(make_question: MakeQuestion) -> None:
    question = old(make_question())
    record_known(apps, None)
    question.refresh_from_db()
    assert (question.answered_by, question.answered_at) == (None, None)
    assert not AnswerVersion.objects.exists()
