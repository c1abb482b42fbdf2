"""Record who answered old questions, and when, where that is known.

The admin's log knows both. A mail to the asker went out when the answer was given.
Answers of inquiries become version 1, so that a correction has something to follow.
"""

import json

from django.db import migrations
from django.db.models import Q

FIELD_NAMES = {"answer", "回答", "Answer"}
BATCH_ROWS = 500


def record_known(apps, schema_editor):
    Question = apps.get_model("kb", "Question")
    Inquiry = apps.get_model("kb", "Inquiry")
    for pk, by, at in admin_answers(apps):
        Question.objects.filter(pk=pk).exclude(answer="").update(
            answered_by=by, answered_at=at
        )
    told = Inquiry.objects.exclude(told_at=None)
    told = told.exclude(question__answer="").filter(question__answered_at=None)
    for pk, at in told.values_list("question", "told_at").iterator():
        Question.objects.filter(pk=pk).update(answered_at=at)
    make_versions(apps)


def admin_answers(apps):
    """Yield (question, user, moment) of each change of an answer in the admin, by time."""
    LogEntry = apps.get_model("admin", "LogEntry")
    rows = LogEntry.objects.filter(
        content_type__app_label="kb", content_type__model="question", action_flag=2
    ).order_by("action_time", "pk")
    names = "object_id", "user", "action_time", "change_message"
    for pk, by, at, message in rows.values_list(*names).iterator():
        if str(pk).isdecimal() and FIELD_NAMES & changed_fields(message):
            yield int(pk), by, at


def changed_fields(message):
    try:
        parts = json.loads(message)
    except ValueError:
        return set()
    if not isinstance(parts, list):
        return set()
    changes = [part.get("changed", {}) for part in parts if isinstance(part, dict)]
    return {name for change in changes for name in change.get("fields", ())}


def make_versions(apps):
    AnswerVersion = apps.get_model("kb", "AnswerVersion")
    Inquiry = apps.get_model("kb", "Inquiry")
    answered = Inquiry.objects.filter(
        ~Q(question__answer=""), question__answer_versions=None
    ).exclude(question__status="open")
    made = []
    for inquiry in answered.select_related("question").iterator():
        question = inquiry.question
        at = question.answered_at or question.asked_at
        made.append(
            AnswerVersion(
                question=question,
                number=1,
                text=question.answer,
                by_id=question.answered_by_id,
                at=at,
                visible_from=at,
                mail_after=at,
                mailed_at=inquiry.told_at,
            )
        )
    AnswerVersion.objects.bulk_create(made, batch_size=BATCH_ROWS)


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0048_answers"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]
    operations = [migrations.RunPython(record_known, migrations.RunPython.noop)]
