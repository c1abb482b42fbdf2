"""Feedback on replies (话术反馈): what agents report, and what editors answer."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from kb.models.entry import Entry
from kb.models.fields import ProseField
from kb.models.reply import Reply
from kb.models.search import MAX_SEARCH_CHARS
from kb.models.user import User


class ReplyFeedbackQuerySet(models.QuerySet["ReplyFeedback"]):
    def unresolved(self) -> ReplyFeedbackQuerySet:
        """Feedback that no editor has answered, oldest first."""
        return self.filter(state=ReplyFeedback.State.OPEN).order_by("at", "pk")

    def written_by(self, user: User) -> ReplyFeedbackQuerySet:
        """The feedback of `user`; only editors may read that of others."""
        return self.filter(by=user)

    def unread(self) -> ReplyFeedbackQuerySet:
        """Answered feedback that its agent has not seen yet."""
        return self.filter(state=ReplyFeedback.State.DONE, seen_at=None)


class ReplyFeedback(models.Model):
    """One report. `body` is the reply at that time: it may have changed since."""

    class Reason(models.TextChoices):
        WRONG = "wrong", "错了"
        OUTDATED = "stale", "过时"
        TONE = "tone", "语气不好"
        OTHER = "other", "其他"

    class State(models.TextChoices):
        OPEN = "open", "待处理"
        DONE = "done", "已处理"

    entry = models.ForeignKey(
        Entry, on_delete=models.CASCADE, related_name="reply_feedback"
    )
    reply = models.ForeignKey(
        Reply,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="reply_feedback",
    )
    variant = models.CharField("话术名称", max_length=20, blank=True)
    body = ProseField("当时的话术", blank=True)
    reason = models.CharField("哪里不对", max_length=5, choices=Reason.choices)
    words = ProseField("补充说明", blank=True, validators=[MaxLengthValidator(500)])
    query = models.CharField("搜索的话", max_length=MAX_SEARCH_CHARS, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="谁说的",
        null=True,
        on_delete=models.SET_NULL,
        related_name="reply_feedback",
    )
    at = models.DateTimeField("时间", default=timezone.now)
    state = models.CharField(
        "状态", max_length=4, choices=State.choices, default=State.OPEN
    )
    answer = ProseField("答复", blank=True, validators=[MaxLengthValidator(500)])
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="处理人",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    done_at = models.DateTimeField("处理时间", null=True, blank=True)
    seen_at = models.DateTimeField("本人看到", null=True, blank=True)

    objects = ReplyFeedbackQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "话术反馈"
        verbose_name_plural = "话术反馈"
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=["wrong", "stale", "tone", "other"]),
                name="kb_replyfeedback_reason_known",
            ),
            models.CheckConstraint(
                condition=Q(state="open", done_at=None, answer="")
                | (Q(state="done", done_at__isnull=False) & ~Q(answer="")),
                name="kb_replyfeedback_done_has_answer",
                violation_error_message="处理完要写一句答复。",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "at"]),
            models.Index(fields=["by", "-at"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}：#{self.entry_id}"
