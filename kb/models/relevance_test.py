"""Golden queries: what must be found, where it stands now, and every trial of them."""

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

MAX_TESTED_RANK = 20  # rank down to which anybody looks


class RelevanceTestQuerySet(models.QuerySet["RelevanceTest"]):
    def failing(self) -> RelevanceTestQuerySet:
        """Tried, and not where it has to be: Golden.fails."""
        too_low = Q(rank=0) | Q(rank__gt=F("within"))
        wrong = Q(entry__isnull=False) & too_low
        return self.filter(wrong | Q(entry=None, rank__gt=0))

    def with_result(self) -> RelevanceTestQuerySet:
        return self.filter(rank__isnull=False)


class RelevanceTest(models.Model):
    """`words` must find `entry` at rank `within` or better; without an entry, nothing.

    `rank` is where it stood at the last trial, 0 for nowhere, None before the
    first one; `above` has the ids of the first that stand above it. Spellings are
    kept apart: each may be found, or not.
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
            models.CheckConstraint(condition=~Q(words=""), name="kb_golden_has_words"),
            models.UniqueConstraint(
                fields=["words", "side", "entry"],
                name="kb_golden_once",
                violation_error_message="已经有同样的一条。",
            ),
            models.UniqueConstraint(
                fields=["words", "side"],
                condition=Q(entry=None),
                name="kb_golden_nothing_once",
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
        """GoldenQuerySet.failing for this row."""
        return self.rank is not None and not self.is_met_at_rank(self.rank)

    def is_met_at_rank(self, rank: int) -> bool:
        return rank == 0 if self.entry_id is None else 1 <= rank <= self.within


class RelevanceTestRun(models.Model):
    """One trial of all golden queries. `moved` has what stood elsewhere before.

    `stamp` names the content, the vocabulary and the weights that were tried.
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
                name="kb_goldenrun_once_a_change",
            )
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.failing}/{self.total}"

    @property
    def duration_seconds(self) -> float | None:
        if self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()
