"""Attempts of the practice for new agents (新人练习)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from kb.models.entry import Entry
from kb.models.question import Question


class PracticeAttempt(models.Model):
    """The entry that a trainee chose for a customer's question, and the right one."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="practice_attempts",
    )
    question = models.ForeignKey(
        Question, on_delete=models.CASCADE, related_name="practice_attempts"
    )
    given = models.ForeignKey(  # the entry that answered the customer
        Entry, on_delete=models.CASCADE, related_name="+"
    )
    chosen = models.ForeignKey(  # None: the trainee asked for the solution
        Entry, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    right = models.BooleanField("答对")
    at = models.DateTimeField("时间", default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "练习"
        verbose_name_plural = "练习"
        permissions = [("view_scores", "查看大家的练习成绩")]
        indexes = [models.Index(fields=["user", "question", "-at"])]

    def __str__(self) -> str:
        return f"#{self.question_id} {'对' if self.right else '错'}"
