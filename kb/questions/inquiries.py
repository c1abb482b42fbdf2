"""Inquiries: questions that customers ask on the site, and the answers that they get.

The only writer of Inquiry and InquiryAttachment.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from kb.library import pictures
from kb.models import (
    AnswerVersion,
    Channel,
    Entry,
    Inquiry,
    InquiryAttachment,
    Module,
    Question,
    Reader,
    Site,
    User,
)
from kb.models.inquiry import (
    MAX_INQUIRY_COMMENT_CHARS,
    MAX_INQUIRY_PICTURES,
    normalize_contact,
    validate_contact,
)
from kb.publishing import locale_prefix
from kb.questions import answers, intake
from kb.text.chinese import normalize
from kb.text.privacy import personal_data

# For which contact and pictures are stored; a setting of 0 days means for ever.
INQUIRY_RETENTION = timedelta(days=settings.KB_RETENTION_DAYS["inquiries"] or 36_500)
MAIL_RETRY_PERIOD = timedelta(days=7)  # in which a failed mail is sent again
MAIL_RETRY_INTERVAL = timedelta(minutes=10)
QuestionStatus = Question.Status
_URL_PATTERN = re.compile(r"(https?://\S+)")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SubmittedInquiry:
    """What a customer sent along with the question itself."""

    form_key: str
    origin: str
    site: Site | None = None
    contact: str = ""
    module: Module | None = None
    words: str = ""
    page: str = ""
    language: str = locale_prefix.LOCALE_SIMPLIFIED


@dataclass(frozen=True, slots=True)
class InquiryProgress:
    """What the customer sees of their inquiry."""

    is_answered: bool
    is_closed: bool
    answer: str
    answered_at: datetime | None
    corrected_at: datetime | None  # None for an answer without correction
    entry: Entry | None  # published, that answers the question


def submit_inquiry(
    text: str, *, details: SubmittedInquiry, uploads: Sequence[File[bytes]] = ()
) -> Inquiry:
    """Store an inquiry and its question; the same form key returns the existing one.

    Raises ValidationError for "text", "contact", "module" or "pictures".
    """
    if existing := Inquiry.objects.filter(form_key=details.form_key).first():
        return existing
    if len(uploads) > MAX_INQUIRY_PICTURES:
        message = _("最多 %(n)d 张图片。") % {"n": MAX_INQUIRY_PICTURES}
        raise ValidationError({"pictures": message})
    bodies = [_encode_picture(n, upload) for n, upload in enumerate(uploads, start=1)]
    return _store_inquiry(text, details, bodies)


@transaction.atomic
def _store_inquiry(
    text: str, details: SubmittedInquiry, bodies: Sequence[bytes]
) -> Inquiry:
    question = intake.record_question(text, channel=Channel.WEB, module=details.module)
    site = details.site if details.site and details.site.pk else None
    inquiry = Inquiry(
        question=question,
        form_key=details.form_key,
        origin=details.origin,
        site=site,
        contact=details.contact or _find_mobile_number(text),
        page=details.page,
        language=details.language,
        words=_mask_comment(details.words),
    )
    inquiry.full_clean(exclude=["site"])  # the default site has no row
    inquiry.save()
    InquiryAttachment.objects.bulk_create(
        InquiryAttachment(inquiry=inquiry, body=body, place=place)
        for place, body in enumerate(bodies, start=1)
    )
    return inquiry


def _find_mobile_number(text: str) -> str:
    """Return the first mobile number in the text of a question, or "".

    It is masked in the stored text, so without this it would be lost for a call back. An e-mail
    address is not used: it may belong to somebody else, and answers are mailed.
    """
    for match in personal_data.find_personal_data(text, [personal_data.KIND_MOBILE]):
        phone = normalize_contact(text[match.start : match.end])
        with suppress(ValidationError):
            validate_contact(phone)
            return phone
    return ""


def _encode_picture(number: int, upload: File[bytes]) -> bytes:
    try:
        return pictures.encode_upload(upload)
    except ValidationError as error:
        message = _("第 %(n)d 张：%(said)s")
        values = {"n": number, "said": "".join(error.messages)}
        raise ValidationError({"pictures": message % values}) from error


def get_inquiry_progress(inquiry: Inquiry, *, reader: Reader) -> InquiryProgress:
    """Return what the customer sees, who reads as `reader`."""
    question = inquiry.question
    readable = Entry.objects.published_to(reader).exclude(answer_html="")
    entry = readable.filter(pk=question.entry_id or 0).first()
    visible = answers.get_visible_answer(question)
    return InquiryProgress(
        is_answered=visible is not None,
        is_closed=question.status == QuestionStatus.DECLINED and not question.answer,
        answer=_convert_answer_script(visible.text) if visible else "",
        answered_at=visible.given_at if visible else None,
        corrected_at=visible.corrected_at if visible else None,
        entry=entry if visible else None,
    )


def _convert_answer_script(answer: str) -> str:
    """Return the answer in the script of the page (简体 or 繁體); URLs stay unchanged."""
    parts = _URL_PATTERN.split(answer)
    return "".join(
        part if n % 2 else locale_prefix.convert_for_page(part)
        for n, part in enumerate(parts)
    )


def rate_inquiry(inquiry: Inquiry, *, score: int, comment: str) -> Inquiry:
    """Save the rating of the customer, in place of an earlier one; it is unhandled.

    Raises ValidationError while the customer cannot read an answer.
    """
    if answers.get_visible_answer(inquiry.question) is None:
        raise ValidationError(_("还没有回复，收到回复后再评分。"))
    inquiry.score, inquiry.comment = score, _mask_comment(comment)
    inquiry.scored_at = timezone.now()
    inquiry.score_handled_at = inquiry.score_handled_by = None
    inquiry.full_clean(exclude=["site"])
    inquiry.save(
        update_fields=[
            "score",
            "comment",
            "scored_at",
            "score_handled_at",
            "score_handled_by",
        ]
    )
    return inquiry


def mark_score_handled(
    inquiry: Inquiry, *, seen_scored_at: datetime | None, by: User
) -> bool:
    """Mark the low score as handled; return False if the customer rated again since.

    `seen_scored_at` is the time of the rating that `by` has read.
    """
    inquiries = Inquiry.objects.with_unhandled_low_score().filter(
        pk=inquiry.pk, scored_at=seen_scored_at
    )
    return bool(inquiries.update(score_handled_at=timezone.now(), score_handled_by=by))


def reopen_low_score(inquiry: Inquiry) -> bool:
    """Put the low score back into the queue; return whether it was handled."""
    rows = Inquiry.objects.with_low_score().filter(pk=inquiry.pk)
    rows = rows.exclude(score_handled_at=None)
    return bool(rows.update(score_handled_at=None, score_handled_by=None))


def _mask_comment(text: str) -> str:
    return personal_data.mask_personal_data(normalize.clean_single_line(text))[
        :MAX_INQUIRY_COMMENT_CHARS
    ].strip()


# Mail to customers ----------------------------------------------------------------


@receiver(post_save, sender=Question)
def _mail_answer_on_commit(
    instance: Question, raw: bool = False, **kwargs: Any
) -> None:
    """Mail the answer after the commit, however the question was answered."""
    if raw or not settings.KB_MAIL or instance.status == QuestionStatus.OPEN:
        return
    transaction.on_commit(partial(mail_answer, instance.pk), robust=True)


def mail_answer(question_id: int) -> bool:
    """Mail the customer the answer that they may read now; return whether it was sent.

    The process that mails a version first moves its `mail_after` on, so that no other
    does the same; if it dies, the mail is tried again. An answer that can still be
    recalled is not mailed.
    """
    inquiries = Inquiry.objects.filter(question=question_id)
    inquiry = inquiries.select_related("question", "site").first()
    if (
        inquiry is None
        or not inquiry.email
        or inquiry.question.status == QuestionStatus.OPEN
    ):
        return False
    version = answers.get_visible_version(inquiry.question)
    if version is None:
        return False
    now = timezone.now()
    versions = AnswerVersion.objects.filter(pk=version.pk)
    due = versions.filter(mailed_at=None, mail_after__lte=now)
    if not due.update(mail_after=now + MAIL_RETRY_INTERVAL):
        return False
    try:
        _build_answer_mail(inquiry, version).send()
    except (OSError, ValueError):  # the server, or an address that it cannot write
        logger.warning("inquiry %s: mail was not sent", inquiry.pk, exc_info=True)
        return False
    versions.update(mailed_at=timezone.now())
    Inquiry.objects.filter(pk=inquiry.pk).update(told_at=timezone.now())
    return True


def mail_due_answers() -> int:
    """Mail all answers that can no longer be recalled; return how many were sent.

    Any process may call it every few seconds: no answer is mailed twice. A failed mail
    is tried again every MAIL_RETRY_INTERVAL, for MAIL_RETRY_PERIOD.
    """
    return (
        sum(map(mail_answer, list(_query_questions_to_mail())))
        if settings.KB_MAIL
        else 0
    )


def has_due_answer_mail() -> bool:
    """Return whether `mail_due_answers` has something to do; one cheap query."""
    return settings.KB_MAIL and _query_questions_to_mail().exists()


def _query_questions_to_mail() -> QuerySet[AnswerVersion, int]:
    """Return ids of questions whose latest readable version was not mailed."""
    now = timezone.now()
    due = AnswerVersion.objects.filter(
        mailed_at=None,
        mail_after__lte=now,
        visible_from__range=(now - MAIL_RETRY_PERIOD, now),
        question__inquiry__contact__contains="@",
    ).exclude(question__status=QuestionStatus.OPEN)
    newer = AnswerVersion.objects.filter(
        question=OuterRef("question"),
        number__gt=OuterRef("number"),
        visible_from__lte=now,
    )
    return due.exclude(Exists(newer)).values_list("question", flat=True)


def _build_answer_mail(inquiry: Inquiry, version: AnswerVersion) -> EmailMessage:
    """Return the mail in the language of the page that the question was asked on."""
    with translation.override(inquiry.language):
        site = locale_prefix.convert_for_page(str(inquiry.site or Site()))
        link = inquiry.origin + reverse("faq:inquiry", args=[inquiry.token])
        parts = (
            _("您问："),
            f"{inquiry.question.text}\n",
            _("更正后的回复：") if version.is_correction else _("我们的回复："),
            f"{_convert_answer_script(version.text)}\n",
            _("查看全文、给回复打分："),
            f"{link}\n",
            _("这个链接只有您有，请不要转发。"),
            f"{site}\n",
        )
        subject = _("您的问题有回复了 · %(site)s")
        if version.is_correction:
            subject = _("您的问题的回复有更正 · %(site)s")
        subject %= {"site": site}
    # So that out-of-office programs do not reply (RFC 3834).
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(subject, "\n".join(parts), to=[inquiry.email], headers=headers)


# Nightly job ------------------------------------------------------------------------


def retry_mail_and_erase_contacts() -> tuple[int, int]:
    """Send failed mails again, and erase contacts and pictures of old inquiries.

    Returns (mails sent, contacts erased).
    """
    answers.delete_old_answer_drafts()
    return mail_due_answers(), _erase_old_contacts(timezone.now() - INQUIRY_RETENTION)


def _erase_old_contacts(asked_before: Any) -> int:
    """Erase contacts and pictures of old inquiries, answered or not; return how many."""
    inquiries = Inquiry.objects.filter(question__asked_at__lt=asked_before)
    InquiryAttachment.objects.filter(inquiry__in=inquiries).delete()
    return inquiries.exclude(contact="").update(contact="")


# Reading an inquiry ---------------------------------------------------------------


def find_inquiry(token: str) -> Inquiry | None:
    """Return the inquiry with its question and site; the token is its only key."""
    inquiries = Inquiry.objects.select_related("question", "site")
    return inquiries.filter(token=token).first()


def find_attachment(inquiry: Inquiry, place: int) -> InquiryAttachment | None:
    """Return the picture at `place`, counted from 1."""
    return InquiryAttachment.objects.filter(inquiry=inquiry, place=place).first()


def list_attachment_places(inquiry: Inquiry) -> list[int]:
    attachments = InquiryAttachment.objects.filter(inquiry=inquiry)
    return list(attachments.values_list("place", flat=True))
