"""Inquiries (网上提问): questions that customers asked on the site, and their contact."""

from __future__ import annotations

import re
import secrets
import unicodedata

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kb.models.question import Question
from kb.models.site import Site
from kb.text.chinese import normalize

MAX_CONTACT_CHARS = 100
MAX_INQUIRY_COMMENT_CHARS = 200
MAX_INQUIRY_PICTURES: int = settings.KB_MAX_INQUIRY_PICTURES
MAX_SATISFACTION_SCORE = 5
MAX_LOW_SCORE = 2  # scores up to this one go to the queue of low scores
_PHONE_PATTERN = re.compile(r"\+?[\d\s()-]+")
_PHONE_DIGIT_COUNTS = range(7, 16)  # of a phone number, E.164
CONTACT_FORMAT_MESSAGE = _(
    "请填手机号或邮箱，比如 13800001234 或 name@example.com；也可以不填。"
)


def generate_inquiry_token() -> str:
    """Return 192 random bits as 32 characters. Who knows them counts as the customer."""
    return secrets.token_urlsafe(24)


def normalize_contact(contact: str) -> str:
    """Return `contact` on one line, in half-width characters (NFKC)."""
    return unicodedata.normalize("NFKC", normalize.clean_single_line(contact)).strip()


def validate_contact(contact: str) -> None:
    """Raise ValidationError unless `contact` is a phone number or an e-mail address."""
    if "@" in contact:
        EmailValidator(CONTACT_FORMAT_MESSAGE)(contact)
        return
    digits = sum(char.isdigit() for char in contact)
    if not (
        _PHONE_PATTERN.fullmatch(contact)
        and contact.isascii()
        and digits in _PHONE_DIGIT_COUNTS
    ):
        raise ValidationError(CONTACT_FORMAT_MESSAGE)


class InquiryQuerySet(models.QuerySet["Inquiry"]):
    def with_low_score(self) -> InquiryQuerySet:
        """Inquiries whose answer was rated MAX_LOW_SCORE or lower."""
        return self.filter(score__lte=MAX_LOW_SCORE)

    def with_unhandled_low_score(self) -> InquiryQuerySet:
        """Inquiries with a low score that no editor has handled."""
        return self.with_low_score().filter(score_handled_at=None)


class Inquiry(models.Model):
    """The customer's side of a question: where it was asked, contact, satisfaction.

    Only staff may read `contact`; it is erased after RETENTION_INQUIRIES_DAYS.
    `told_at` is when the mail with the answer was sent.
    """

    question = models.OneToOneField(
        Question, on_delete=models.CASCADE, related_name="inquiry"
    )
    token = models.CharField(max_length=32, unique=True, default=generate_inquiry_token)
    form_key = models.CharField(max_length=64, unique=True)  # a form is stored once
    site = models.ForeignKey(
        Site,
        verbose_name="站点",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    origin = models.CharField("提问的网站", max_length=300)
    language = models.CharField("页面语言", max_length=10, default="zh-hans")
    page = models.CharField(
        "提问的页面", max_length=MAX_INQUIRY_COMMENT_CHARS, blank=True
    )
    words = models.CharField(
        "之前搜了什么", max_length=MAX_INQUIRY_COMMENT_CHARS, blank=True
    )
    contact = models.CharField(
        "联系方式",
        max_length=MAX_CONTACT_CHARS,
        blank=True,
        validators=[validate_contact],
    )
    told_at = models.DateTimeField("邮件发出时间", null=True, blank=True)
    score = models.PositiveSmallIntegerField(
        "满意度",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_SATISFACTION_SCORE)],
    )
    comment = models.CharField(
        "满意度留言", max_length=MAX_INQUIRY_COMMENT_CHARS, blank=True
    )
    scored_at = models.DateTimeField("评分时间", null=True, blank=True)
    score_handled_at = models.DateTimeField(
        "评分处理时间", null=True, blank=True, editable=False
    )
    score_handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="评分处理人",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    objects = InquiryQuerySet.as_manager()

    class Meta:
        verbose_name = "网上提问"
        verbose_name_plural = "网上提问"
        constraints = [
            models.CheckConstraint(
                condition=Q(score=None)
                | Q(score__gte=1, score__lte=MAX_SATISFACTION_SCORE),
                name="kb_inquiry_score_known",
            )
        ]

    def __str__(self) -> str:
        return str(self.question)

    def clean(self) -> None:
        self.contact = normalize_contact(self.contact)
        self.page = normalize.clean_single_line(self.page)[:MAX_INQUIRY_COMMENT_CHARS]

    @property
    def email(self) -> str:
        """The e-mail address of the customer, or ""."""
        return self.contact if "@" in self.contact else ""


class InquiryAttachment(models.Model):
    """A picture of an inquiry, encoded again by us. It is never public.

    The row itself holds the picture, so that both are deleted together.
    """

    inquiry = models.ForeignKey(
        Inquiry, on_delete=models.CASCADE, related_name="attachments"
    )
    body = models.BinaryField()  # WebP
    place = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(
                fields=["inquiry", "place"], name="kb_inquiryattachment_unique_place"
            )
        ]

    def __str__(self) -> str:
        return f"图 {self.place}"
