"""Reviews (审核): drafts and changes that wait for another editor's decision."""

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
    """The review of a draft (`content` is None), or of a change of a published entry.

    A change is kept in `content`, made on version `base` of the entry; readers see
    the published text until it is approved. An entry has at most one waiting review.
    `by` submitted it, and `also` are the users who have added to it since.
    `edition` is raised whenever the waiting content changes.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "待审核"
        APPROVED = "approved", "已通过"
        RETURNED = "returned", "已退回"
        WITHDRAWN = "withdrawn", "已撤回"

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="reviews")
    # As kb.library.entries.snapshots makes it.
    content = models.JSONField(null=True, encoder=UnescapedJSONEncoder)
    base = models.PositiveIntegerField()
    edition = models.PositiveIntegerField(default=1)
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
        """Whether it is a change of a published entry, not a draft."""
        return self.content is not None

    @property
    def version_stamp(self) -> str:
        """A stamp that changes with the content and with the entry it would replace."""
        return f"{self.edition}-{self.entry.version}"

    @classmethod
    def open_reviews(cls) -> QuerySet[Review]:
        """Reviews that wait for a decision."""
        return cls.objects.filter(state=cls.State.WAITING)


class ReviewComment(models.Model):
    """A comment on a review."""

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
