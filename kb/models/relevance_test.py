"""Relevance tests (搜索验收): which entry a query must find, and the runs of the tests."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from kb.models.entry import Entry
from kb.models.search import SearchSide
from kb.text.chinese import normalize

MAX_TESTED_RANK = 20


class RelevanceTestQuerySet(models.QuerySet["RelevanceTest"]):
    def failing(self) -> RelevanceTestQuerySet:
        """Tests whose last run missed the rank: see RelevanceTest.is_failing."""
        too_low = Q(rank=0) | Q(rank__gt=F("within"))
        missed = Q(entry__isnull=False) & too_low
        return self.filter(missed | Q(entry=None, rank__gt=0))

    def with_result(self) -> RelevanceTestQuerySet:
        """Tests that have been run at least once."""
        return self.filter(rank__isnull=False)


class RelevanceTest(models.Model):
    """`words` must find `entry` at rank `within` or better; without an entry, nothing.

    `rank` is the result rank in the last run, 0 if it was not found, None before the
    first run. `above` holds the ids of the entries ranked above it, the first ones.
    Each spelling of the words is a test of its own.
    """

    words = models.CharField("搜索的话", max_length=200)
    side = models.CharField(
        "谁来搜", max_length=6, choices=SearchSide.choices, default=SearchSide.PUBLIC
    )
    entry = models.ForeignKey(
        Entry,
        verbose_name="应该找到",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="relevance_tests",
        help_text="留空表示：这样搜，不该有结果。",
    )
    within = models.PositiveSmallIntegerField(
        "最低名次",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_TESTED_RANK)],
        help_text=f"排在这个名次以内就算达标，1 到 {MAX_TESTED_RANK}。",
    )
    rank = models.PositiveSmallIntegerField("现在名次", null=True, editable=False)
    above = models.JSONField(default=list, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="创建人",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField("创建时间", auto_now_add=True)
    updated_at = models.DateTimeField("修改时间", auto_now=True)

    objects = RelevanceTestQuerySet.as_manager()

    class Meta:
        ordering = ["words", "pk"]
        verbose_name = "搜索验收"
        verbose_name_plural = "搜索验收"
        constraints = [
            models.CheckConstraint(
                condition=~Q(words=""), name="kb_relevancetest_has_words"
            ),
            models.UniqueConstraint(
                fields=["words", "side", "entry"],
                name="kb_relevancetest_once",
                violation_error_message="已经有同样的一条。",
            ),
            models.UniqueConstraint(
                fields=["words", "side"],
                condition=Q(entry=None),
                name="kb_relevancetest_nothing_once",
                violation_error_message="已经有同样的一条。",
            ),
        ]

    def clean(self) -> None:
        self.words = normalize.clean_single_line(self.words)
        if not self.words:
            raise ValidationError({"words": "请写下顾客或同事会搜的话。"})

    def __str__(self) -> str:
        return self.words

    @property
    def is_failing(self) -> bool:
        """RelevanceTestQuerySet.failing for this row."""
        return self.rank is not None and not self.is_met_at_rank(self.rank)

    def is_met_at_rank(self, rank: int) -> bool:
        """Return whether a search that ranks the entry at `rank` (0: nowhere) passes."""
        return rank == 0 if self.entry_id is None else 1 <= rank <= self.within


class RelevanceTestRun(models.Model):
    """One run of all relevance tests. `moved` lists the changes of rank since the last.

    `stamp` identifies the content, the vocabulary and the weights of the run.
    """

    class Cause(models.TextChoices):
        CHANGE = "change", "内容或词汇有改动"
        MANUAL = "button", "手动"
        COMMAND = "command", "命令行"

    cause = models.CharField("起因", max_length=7, choices=Cause.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    stamp = models.CharField(max_length=32)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failing = models.PositiveIntegerField(default=0)
    moved = models.JSONField(default=list)

    class Meta:
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["stamp"],
                condition=Q(cause="change"),
                name="kb_relevancetestrun_once_a_change",
            )
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.failing}/{self.total}"

    @property
    def duration_seconds(self) -> float | None:
        """How long the run took; None while it is not finished."""
        if self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()
