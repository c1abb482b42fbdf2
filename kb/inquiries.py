"""What customers ask on the site, and what they get to see of it: the only writer."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from kb import pictures, questions, scripts
from kb.models import (
    Channel,
    Enclosure,
    Entry,
    Inquiry,
    Module,
    Question,
    Reader,
    Site,
)
from kb.models.inquiry import LONGEST_WORDS, MOST_PICTURES
from kb.text import normalize, personal

KEPT = timedelta(days=180)  # for which a contact and pictures are kept
LATE = timedelta(days=7)  # in which a mail that failed is tried again
Status = Question.Status
_ADDRESS = re.compile(r"(https?://\S+)")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a customer sent along with the question itself."""

    form_key: str
    origin: str
    site: Site | None = None
    contact: str = ""
    module: Module | None = None
    words: str = ""
    page: str = ""
    language: str = scripts.HANS


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a question is, for the one who asked it."""

    answered: bool
    closed: bool
    answer: str
    entry: Entry | None  # that answers it for everybody


def ask(text: str, *, asked: Asked, uploads: Sequence[File[bytes]] = ()) -> Inquiry:
    """Take a question in; the same form again is the same question.

    Raises ValidationError for "text", "contact", "module" or "pictures".
    """
    if made := Inquiry.objects.filter(form_key=asked.form_key).first():
        return made
    if len(uploads) > MOST_PICTURES:
        told = _("最多 %(n)d 张图片。") % {"n": MOST_PICTURES}
        raise ValidationError({"pictures": told})
    bodies = [_encoded(n, upload) for n, upload in enumerate(uploads, start=1)]
    return _store(text, asked, bodies)


@transaction.atomic
def _store(text: str, asked: Asked, bodies: Sequence[bytes]) -> Inquiry:
    question = questions.ask(text, channel=Channel.WEB, module=asked.module)
    site = asked.site if asked.site and asked.site.pk else None
    inquiry = Inquiry(
        question=question,
        form_key=asked.form_key,
        origin=asked.origin,
        site=site,
        contact=asked.contact,
        page=asked.page,
        language=asked.language,
        words=_said(asked.words),
    )
    inquiry.full_clean(exclude=["site"])  # it may be nobody's
    inquiry.save()
    Enclosure.objects.bulk_create(
        Enclosure(inquiry=inquiry, body=body, place=place)
        for place, body in enumerate(bodies, start=1)
    )
    return inquiry


def _encoded(number: int, upload: File[bytes]) -> bytes:
    try:
        return pictures.encode(upload)
    except ValidationError as error:
        told = _("第 %(n)d 张：%(said)s")
        said = {"n": number, "said": "".join(error.messages)}
        raise ValidationError({"pictures": told % said}) from error


def progress(inquiry: Inquiry, *, reader: Reader) -> Progress:
    """Return what the asker is told, who reads as `reader`."""
    question = inquiry.question
    readable = Entry.objects.published_to(reader).exclude(answer_html="")
    entry = readable.filter(pk=question.entry_id or 0).first()
    return Progress(
        answered=bool(question.answer) and question.status != Status.OPEN,
        closed=question.status == Status.DECLINED and not question.answer,
        answer=_told(question.answer),
        entry=entry,
    )


def _told(answer: str) -> str:
    """Return what a colleague wrote in the script of the page; addresses stay."""
    parts = _ADDRESS.split(answer)
    return "".join(one if n % 2 else scripts.say(one) for n, one in enumerate(parts))


def rate(inquiry: Inquiry, *, score: int, comment: str) -> Inquiry:
    """Keep how satisfied the asker is, who may change his mind.

    Raises ValidationError where nothing was answered yet.
    """
    if not inquiry.question.answer:
        raise ValidationError(_("还没有回复，收到回复后再评分。"))
    inquiry.score, inquiry.comment = score, _said(comment)
    inquiry.scored_at = timezone.now()
    inquiry.full_clean(exclude=["site"])
    inquiry.save(update_fields=["score", "comment", "scored_at"])
    return inquiry


def _said(words: str) -> str:
    return personal.mask(normalize.line(words))[:LONGEST_WORDS].strip()


# Telling who asked ----------------------------------------------------------------


@receiver(post_save, sender=Question)
def _tell_later(instance: Question, raw: bool = False, **kwargs: Any) -> None:
    """Write once it is sure that the question is answered, whoever answered it."""
    if raw or not settings.KB_MAIL or instance.status == Status.OPEN:
        return
    transaction.on_commit(partial(tell, instance.pk), robust=True)


def tell(question_id: int) -> bool:
    """Write to the asker that there is an answer: once, and whatever mail does."""
    waiting = Inquiry.objects.filter(question=question_id, told_at=None)
    inquiry = waiting.select_related("question", "site").first()
    if inquiry is None or not inquiry.email or not inquiry.question.answer:
        return False
    mine = waiting.update(told_at=timezone.now())  # else somebody else writes
    try:
        if mine:
            _letter(inquiry).send()
    except (OSError, ValueError):  # the server, or an address that it cannot write
        logger.warning("inquiry %s: mail was not sent", inquiry.pk, exc_info=True)
        Inquiry.objects.filter(pk=inquiry.pk).update(told_at=None)
        return False
    return bool(mine)


def _letter(inquiry: Inquiry) -> EmailMessage:
    """Return what the asker is written, in the language of the page he asked on."""
    with translation.override(inquiry.language):
        site = scripts.say(str(inquiry.site or Site()))
        link = inquiry.origin + reverse("faq:inquiry", args=[inquiry.token])
        parts = (
            _("您问："),
            f"{inquiry.question.text}\n",
            _("我们的回复："),
            f"{_told(inquiry.question.answer)}\n",
            _("查看全文、给回复打分："),
            f"{link}\n",
            _("这个链接只有您有，请不要转发。"),
            f"{site}\n",
        )
        subject = _("您的问题有回复了 · %(site)s") % {"site": site}
    # So that nobody's absence is answered to us.
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(subject, "\n".join(parts), to=[inquiry.email], headers=headers)


# Once a night -----------------------------------------------------------------------


def tidy() -> tuple[int, int]:
    """Try mails again that failed, and forget whom old questions came from.

    Returns how many mails went out and how many questions are nobody's now.
    """
    now = timezone.now()
    return _tell_again(now - LATE), _forget(now - KEPT)


def _tell_again(since: Any) -> int:
    late = Inquiry.objects.filter(
        told_at=None, contact__contains="@", question__asked_at__gt=since
    ).exclude(question__status=Status.OPEN)
    ids = list(late.values_list("question_id", flat=True)) if settings.KB_MAIL else []
    return sum(map(tell, ids))


def _forget(before: Any) -> int:
    old = Inquiry.objects.filter(question__asked_at__lt=before).exclude(
        question__status=Status.OPEN
    )
    Enclosure.objects.filter(inquiry__in=old).delete()
    return old.exclude(contact="").update(contact="")
