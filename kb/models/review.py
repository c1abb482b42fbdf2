"""A review: somebody's words on their way to the readers, until another judges them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet

from kb.models.entry import Entry
from kb.models.entry_revision import UnescapedJSONEncoder


def _build_person_field(name: str) -> Any:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=name,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )


class Review(models.Model):
    """Of a draft (no `content`), or of a change of what is published.

    A change waits as `content`, made on version `base`; what readers see stays
    until it is approved. One at a time waits for an entry, whoever wrote it: `by`
    has seen all of it, and `also` are those who have added to it since.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "待审核"
        APPROVED = "approved", "已通过"
        RETURNED = "returned", "已退回"
        WITHDRAWN = "withdrawn", "已撤回"

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="reviews")
    content = models.JSONField(
        null=True, encoder=UnescapedJSONEncoder
    )  # as kb.entries.content
    base = models.PositiveIntegerField()  # version of the entry
    edition = models.PositiveIntegerField(default=1)  # raised when it is changed
    by = _build_person_field("提交人")
    also = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name="也加了内容的人", related_name="+"
    )
    at = models.DateTimeField("提交时间", auto_now_add=True)
    note = models.CharField("修改说明", max_length=200, blank=True)
    reviewer = _build_person_field("请谁审核")
    state = models.CharField(
        "状态", max_length=9, choices=State.choices, default=State.WAITING
    )
    judged_by = _build_person_field("审核人")
    judged_at = models.DateTimeField("审核时间", null=True)
    reason = models.CharField("原因", max_length=200, blank=True)

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = "审核"
        verbose_name_plural = "审核"
        indexes = [models.Index(fields=["state", "at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["entry"],
                condition=Q(state="waiting"),
                name="kb_review_waits_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "approved", "returned", "withdrawn"]),
                name="kb_review_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry}：{self.get_state_display()}"

    @property
    def is_change(self) -> bool:
        """Whether something is published meanwhile, which this would change."""
        return self.content is not None

    @property
    def version_stamp(self) -> str:
        """What tells whether the words, or those they would replace, have changed."""
        return f"{self.edition}-{self.entry.version}"

    @classmethod
    def open_reviews(cls) -> QuerySet[Review]:
        return cls.objects.filter(state=cls.State.WAITING)


class ReviewComment(models.Model):
    """What somebody says of words under review."""

    review = models.ForeignKey(
        Review, on_delete=models.CASCADE, related_name="comments"
    )
    by = _build_person_field("谁")
    at = models.DateTimeField("时间", auto_now_add=True)
    text = models.CharField("意见", max_length=1000)

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = "审核意见"
        verbose_name_plural = "审核意见"
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="kb_comment_has_text")
        ]

    def __str__(self) -> str:
        return self.text
