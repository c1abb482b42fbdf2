"""Questions: what one customer asked, with the answer that was given."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from kb.models.channel import Channel
from kb.models.fields import ProseField
from kb.models.product_module import Module
from kb.text.chinese import normalize


class QuestionQuerySet(models.QuerySet["Question"]):
    def awaiting_triage(self) -> QuestionQuerySet:
        """Answered questions of the inbox: no editor has filed or declined them yet."""
        return self.filter(status=Question.Status.ANSWERED).order_by("asked_at", "id")

    def unanswered(self) -> QuestionQuerySet:
        """Open questions of customers, who will read the answer on their inquiry page."""
        return self.filter(status=Question.Status.OPEN, inquiry__isnull=False)

    def unanswered_records(self) -> QuestionQuerySet:
        """Open questions that were recorded or imported; their answer reaches no customer."""
        return self.filter(status=Question.Status.OPEN, inquiry__isnull=True)


class Question(models.Model):
    """The material of which entries are made. It is never public."""

    class Status(models.TextChoices):
        OPEN = "open", "待回答"
        ANSWERED = "answered", "待整理"
        SETTLED = "settled", "已收录"
        DECLINED = "declined", "不收录"

    text = ProseField("问题", validators=[MaxLengthValidator(2000)])
    answer = ProseField("回答", blank=True, validators=[MaxLengthValidator(10_000)])
    channel = models.CharField(
        "渠道", max_length=10, choices=Channel.choices, default=Channel.OTHER
    )
    segment = models.CharField("客户类型", max_length=20, blank=True)
    module = models.ForeignKey(
        Module,
        verbose_name="产品模块",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="questions",
    )
    status = models.CharField(
        "状态", max_length=10, choices=Status.choices, default=Status.OPEN
    )
    entry = models.ForeignKey(
        "kb.Entry",
        verbose_name="收录到",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="questions",
    )
    reason = models.CharField("不收录的原因", max_length=200, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="处理人",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    settled_at = models.DateTimeField("处理时间", null=True, blank=True, editable=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="录入人",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="回答人",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    answered_at = models.DateTimeField(
        "回答时间", null=True, blank=True, editable=False
    )
    asked_at = models.DateTimeField("提问时间", default=timezone.now)
    source = models.CharField("来源", max_length=50, blank=True)
    external_id = models.CharField("外部编号", max_length=100, blank=True)
    # When the personal data in it were masked, because of its age.
    anonymized_at = models.DateTimeField(null=True, editable=False)
    text_key = models.CharField(max_length=32, editable=False, db_index=True)
    created_at = models.DateTimeField("录入时间", auto_now_add=True)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-id"]
        verbose_name = "问题"
        verbose_name_plural = "问题"
        permissions = [
            ("triage_question", "处理收件箱"),
            ("answer_question", "回答顾客的提问"),
            ("import_question", "导入问题"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="kb_question_has_text"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "declined"]) | ~Q(answer=""),
                name="kb_question_answered_has_answer",
                violation_error_message="没有回答的问题只能是待回答。",
            ),
            models.CheckConstraint(
                condition=Q(status="settled", entry__isnull=False)
                | (~Q(status="settled") & Q(entry__isnull=True)),
                name="kb_question_settled_has_entry",
                violation_error_message="已收录的问题必须指明条目，其他问题不能有条目。",
            ),
            models.CheckConstraint(
                condition=~Q(status="declined") | ~Q(reason=""),
                name="kb_question_declined_has_reason",
                violation_error_message="不收录要写明原因。",
            ),
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=~Q(external_id=""),
                name="kb_question_unique_external_id",
                violation_error_message="这个来源里已有相同外部编号的问题。",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "asked_at"]),
            models.Index(fields=["answered_by", "-answered_at"]),
        ]

    def __str__(self) -> str:
        return self.text[:50]

    def clean(self) -> None:
        self.text = normalize.clean_text(self.text).strip()
        self.answer = normalize.clean_text(self.answer).strip()
        self.segment = normalize.clean_single_line(self.segment)

    def save(self, *args: object, **kwargs: object) -> None:
        self.text_key = normalize.compute_spelling_key(self.text)
        super().save(*args, **kwargs)  # type: ignore[arg-type]
