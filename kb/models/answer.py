"""Answers to customers' questions: every version that was sent, and unsent drafts."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils import timezone

from kb.models.fields import ProseField
from kb.models.question import Question

MAX_ANSWER_CHARS = 10_000


class AnswerVersion(models.Model):
    """One version of an answer. Number 1 is the answer, the later ones are corrections.

    `visible_from` is when the customer may read it: until then it can be taken back.
    `mail_after` is when the mail about it is due; it moves on when a mail fails.
    """

    question = models.ForeignKey(
        Question, on_delete=models.CASCADE, related_name="answer_versions"
    )
    number = models.PositiveIntegerField("版本")
    text = ProseField("回复", validators=[MaxLengthValidator(MAX_ANSWER_CHARS)])
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="谁回复的",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    at = models.DateTimeField("回复时间", default=timezone.now)
    visible_from = models.DateTimeField("顾客看得到的时间", default=timezone.now)
    mail_after = models.DateTimeField("邮件最早发出时间", default=timezone.now)
    mailed_at = models.DateTimeField("邮件发出时间", null=True, blank=True)

    class Meta:
        ordering = ["question", "number"]
        verbose_name = "回复的版本"
        verbose_name_plural = "回复的版本"
        constraints = [
            models.UniqueConstraint(
                fields=["question", "number"], name="kb_answerversion_unique_number"
            )
        ]
        indexes = [
            models.Index(fields=["by", "-at"]),
            models.Index(fields=["mailed_at", "mail_after"]),
        ]

    def __str__(self) -> str:
        return f"第 {self.number} 版"

    @property
    def is_correction(self) -> bool:
        return self.number > 1


class AnswerDraft(models.Model):
    """What one agent has typed for a question and not sent, and whether they are at it.

    The agent counts as present until `present_until`. Only they may read the text.
    `discarded` keeps the text for an undo.
    """

    question = models.ForeignKey(
        Question, on_delete=models.CASCADE, related_name="answer_drafts"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    text = ProseField(blank=True)
    discarded = models.BooleanField(default=False)
    present_until = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        ordering = ["-updated_at"]
        verbose_name = "没发出的回复"
        verbose_name_plural = "没发出的回复"
        constraints = [
            models.UniqueConstraint(
                fields=["question", "by"], name="kb_answerdraft_one_each"
            )
        ]

    def __str__(self) -> str:
        return self.text[:50]
