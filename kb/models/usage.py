"""What people searched for and what helped them: rows, from which figures are made."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kb.models.entry import Entry
from kb.text.chinese import normalize

MAX_SEARCH_CHARS = 200  # characters of words


class SearchSide(models.TextChoices):
    """Where somebody searched: what one side teaches, the other never feels."""

    PUBLIC = "public", "顾客"
    STAFF = "staff", "同事"


class SearchWordsMixin(models.Model):
    """Words that somebody searched for, and a key for all their spellings."""

    words = models.CharField("搜索的话", max_length=MAX_SEARCH_CHARS)
    words_key = models.CharField(max_length=32, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.words_key = normalize.compute_spelling_key(self.words)
        super().save(*args, **kwargs)


class Search(SearchWordsMixin):
    """A committed search. `by` is for people who work here; customers have no name.

    `person` tells customers apart and nothing else: feedback.stranger.
    """

    side = models.CharField("谁搜的", max_length=6, choices=SearchSide.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="同事",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    person = models.CharField(max_length=24, blank=True, editable=False)
    results = models.PositiveIntegerField("结果数")
    entry = models.ForeignKey(
        Entry,
        verbose_name="用了哪条",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    rank = models.PositiveIntegerField("第几条", null=True, blank=True)
    created_at = models.DateTimeField("时间", default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = "搜索记录"
        verbose_name_plural = "搜索记录"
        constraints = [
            models.CheckConstraint(
                condition=Q(side="staff") | Q(by=None),
                name="kb_search_public_is_nobody",
            )
        ]
        indexes = [models.Index(fields=["words_key", "side", "-created_at"])]

    def __str__(self) -> str:
        return self.words


class Pick(SearchWordsMixin):
    """One person found that `entry` answers `words`; doing so again renews it."""

    class Kind(models.TextChoices):
        COPIED = "copied", "复制了话术"
        HELPFUL = "helpful", "说有帮助"

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="picks")
    side = models.CharField(max_length=6, choices=SearchSide.choices)
    person = models.CharField(max_length=24)  # feedback.colleague, feedback.stranger
    rank = models.PositiveIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "side", "words_key", "person"], name="kb_pick_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.words} → #{self.entry_id}"


class VoteQuerySet(models.QuerySet["Vote"]):
    def unhelpful(self) -> VoteQuerySet:
        """Votes that an entry did not help, with or without a reason."""
        return self.filter(helpful=False)

    def unhandled(self) -> VoteQuerySet:
        """Of the complaints, those that nobody has dealt with."""
        return self.unhelpful().filter(handled_at=None)


class Vote(models.Model):
    """Whether an entry helped one person, who may change his mind, and why not."""

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


class Evidence(SearchWordsMixin):
    """What picks say together: how strongly `words` ask for `entry`, on one side.

    The roll-up of Pick; `feedback` alone writes it. An editor who will not have
    the words as a phrasing sets `refused`, which outlives the picks.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="evidence")
    side = models.CharField(max_length=6, choices=SearchSide.choices)
    level = models.PositiveSmallIntegerField(default=0)  # 0 counts for nothing
    people = models.PositiveIntegerField(default=0)
    refused = models.BooleanField(default=False)
    review = models.ForeignKey(  # where it waits to be a phrasing
        "kb.Review", null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-level", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["words_key", "side", "entry"], name="kb_evidence_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.words} → #{self.entry_id}"
