"""Expiry of personal data: old rows are deleted, or masked where they must stay.

Every function may run at any time and in several processes at once: a second run finds
nothing to do. The periods are settings, RETENTION_…_DAYS.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from kb.models import (
    AnswerDraft,
    AnswerVersion,
    Autosave,
    CopyEvent,
    DeletedItem,
    ImportedRow,
    Inquiry,
    InquiryAttachment,
    PracticeAttempt,
    Question,
    ReplyFeedback,
    Search,
    SearchGap,
    SearchGapSpelling,
    Vote,
)
from kb.text.chinese import normalize
from kb.text.privacy import personal_data

EXPIRY_BATCH_ROWS = 500  # rows in one transaction: others can write in between
logger = logging.getLogger(__name__)


def delete_expired_personal_data() -> int:
    """Delete or mask everything that is older than its setting; return how many rows."""
    counts = {name: expire(before) for name, before, expire in _iter_due_expiries()}
    if total := sum(counts.values()):
        summary = ", ".join(
            f"{name} {count}" for name, count in counts.items() if count
        )
        logger.info("retention: %s", summary)
    return total


def _iter_due_expiries() -> Iterator[tuple[str, datetime, Callable[[datetime], int]]]:
    """Yield (name, time, function) for the data that has a retention period."""
    now = timezone.now()
    for name, expire in EXPIRY_FUNCTIONS.items():
        if days := settings.KB_RETENTION_DAYS[name]:
            yield name, now - timedelta(days=days), expire


def expire_questions(before: datetime) -> int:
    """Delete old questions that are open or declined; mask the others.

    A question that belongs to an entry, or may still, is kept without personal data.
    """
    old = Question.objects.filter(asked_at__lt=before, anonymized_at=None)
    is_unused = Q(status__in=[Question.Status.OPEN, Question.Status.DECLINED])
    count = _delete_in_batches(old.filter(is_unused))
    for batch in _iter_id_batches(old.exclude(is_unused)):
        with transaction.atomic():
            count += mask_questions(batch)
    return count


def mask_questions(ids: Collection[int]) -> int:
    """Mask questions and every version of their answers; return how many questions.

    Answer drafts are deleted. The caller holds a transaction.
    """
    rows = list(Question.objects.select_for_update().filter(pk__in=ids))
    for row in rows:
        row.text = personal_data.mask_personal_data(row.text)
        row.answer = personal_data.mask_personal_data(row.answer)
        row.text_key = normalize.compute_spelling_key(row.text)
        row.anonymized_at = timezone.now()
    fields = ["text", "answer", "text_key", "anonymized_at"]
    Question.objects.bulk_update(rows, fields)
    versions = list(AnswerVersion.objects.filter(question__in=ids))
    for version in versions:
        version.text = personal_data.mask_personal_data(version.text)
    AnswerVersion.objects.bulk_update(versions, ["text"], batch_size=EXPIRY_BATCH_ROWS)
    AnswerDraft.objects.filter(question__in=ids).delete()
    return len(rows)


def expire_inquiries(before: datetime) -> int:
    """Remove the contact, attachments and comments of old inquiries.

    Unanswered inquiries are included.
    """
    old = Inquiry.objects.filter(question__asked_at__lt=before)
    count = _delete_in_batches(InquiryAttachment.objects.filter(inquiry__in=old))
    rows_with_data = old.exclude(contact="", comment="", words="", page="")
    for batch in _iter_id_batches(rows_with_data):
        rows = Inquiry.objects.filter(pk__in=batch)
        count += rows.update(contact="", comment="", words="", page="")
    return count


def expire_searches(before: datetime) -> int:
    """Delete old searches, clear the query of copies, and mask personal data in gaps."""
    count = _delete_in_batches(Search.objects.filter(created_at__lt=before))
    copies = CopyEvent.objects.filter(at__lt=before).exclude(words="")
    for batch in _iter_id_batches(copies):
        count += CopyEvent.objects.filter(pk__in=batch).update(words="")
    count += _mask_words(SearchGap.objects.filter(last_at__lt=before))
    return count + _mask_words(SearchGapSpelling.objects.filter(last_at__lt=before))


def expire_votes(before: datetime) -> int:
    """Clear the text of old votes and of feedback on replies; the counts stay."""
    votes = Vote.objects.filter(created_at__lt=before)
    count = 0
    for batch in _iter_id_batches(votes.exclude(words="", note="")):
        count += Vote.objects.filter(pk__in=batch).update(words="", note="")
    feedback = ReplyFeedback.objects.filter(at__lt=before).exclude(query="")
    for batch in _iter_id_batches(feedback):
        count += ReplyFeedback.objects.filter(pk__in=batch).update(query="")
    return count


def expire_drafts(before: datetime) -> int:
    """Delete old autosaves of the entry form."""
    return _delete_in_batches(Autosave.objects.filter(at__lt=before))


def expire_deleted(before: datetime) -> int:
    """Delete items of the trash that were not restored in time."""
    return _delete_in_batches(DeletedItem.objects.filter(deleted_at__lt=before))


def expire_practice(before: datetime) -> int:
    return _delete_in_batches(PracticeAttempt.objects.filter(at__lt=before))


def expire_imports(before: datetime) -> int:
    """Delete the rows needed to undo an import; the import stays listed."""
    return _delete_in_batches(ImportedRow.objects.filter(batch__at__lt=before))


EXPIRY_FUNCTIONS: dict[str, Callable[[datetime], int]] = {
    "questions": expire_questions,
    "inquiries": expire_inquiries,
    "searches": expire_searches,
    "votes": expire_votes,
    "drafts": expire_drafts,
    "deleted": expire_deleted,
    "practice": expire_practice,
    "imports": expire_imports,
}


def _mask_words(rows: QuerySet[Any]) -> int:
    """Mask personal data in the queries of gaps; return how many changed."""
    count = 0
    for pk, words in rows.values_list("pk", "words").iterator():
        if (masked := personal_data.mask_personal_data(words)) != words:
            count += rows.model._default_manager.filter(pk=pk).update(words=masked)
    return count


def _delete_in_batches(rows: QuerySet[Any]) -> int:
    model: type[Model] = rows.model
    return sum(
        model._default_manager.filter(pk__in=batch)
        .delete()[1]
        .get(model._meta.label, 0)
        for batch in _iter_id_batches(rows)
    )


def _iter_id_batches(rows: QuerySet[Any]) -> Iterator[list[int]]:
    """Yield the primary keys of `rows`, loaded once, in lists of EXPIRY_BATCH_ROWS."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), EXPIRY_BATCH_ROWS):
        yield ids[start : start + EXPIRY_BATCH_ROWS]
