"""Whether an entry helped a reader."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kb.models.entry import Entry
from kb.models.search import MAX_SEARCH_CHARS


class VoteQuerySet(models.QuerySet["Vote"]):
    def unhelpful(self) -> VoteQuerySet:
        """Votes that an entry did not help, with or without a reason."""
        return self.filter(helpful=False)

    def unhandled(self) -> VoteQuerySet:
        """Unhelpful votes that no editor has handled."""
        return self.unhelpful().filter(handled_at=None)


class Vote(models.Model):
    """The vote of one reader on an entry, which they may change, with the reason."""

    class Reason(models.TextChoices):
        UNCLEAR = "unclear", _("看不懂")
        UNSOLVED = "unsolved", _("没解决")
        OUTDATED = "outdated", _("信息过时")
        OTHER = "other", _("不是我要的")

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="votes")
    person = models.CharField(max_length=24)
    helpful = models.BooleanField("有帮助")
    words = models.CharField("搜索的话", max_length=MAX_SEARCH_CHARS, blank=True)
    reason = models.CharField("原因", max_length=10, choices=Reason.choices, blank=True)
    note = models.CharField("补充", max_length=MAX_SEARCH_CHARS, blank=True)
    created_at = models.DateTimeField("时间", default=timezone.now)
    handled_at = models.DateTimeField("处理时间", null=True, blank=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="处理人",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    objects = VoteQuerySet.as_manager()

    class Meta:
        verbose_name = "评价"
        verbose_name_plural = "评价"
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "person"], name="kb_vote_one_each"
            ),
            models.CheckConstraint(
                condition=Q(helpful=False) | Q(reason="", note=""),
                name="kb_vote_helpful_has_no_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["entry"],
                condition=Q(helpful=False, handled_at=None),
                name="kb_vote_open_complaints",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.entry_id} {'有帮助' if self.helpful else '没帮助'}"
