"""Search gaps (搜索缺口): searches that find nothing useful, until a remedy is verified."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from kb.models.entry import Entry
from kb.models.search import MAX_SEARCH_CHARS, SearchSide

MIN_GAP_MISSES = 3  # fewer searches without a pick are not significant
MIN_MISSES_PER_PICK = 2  # misses for each pick, from which a gap is significant


class SearchGapQuerySet(models.QuerySet["SearchGap"]):
    def significant(self) -> SearchGapQuerySet:
        """Gaps with searches that found nothing, or whose results were mostly not used."""
        unused = Q(
            misses__gte=MIN_GAP_MISSES, picks__lt=F("misses") / MIN_MISSES_PER_PICK
        )
        return self.filter(Q(empty__gt=0) | unused)

    def needing_attention(self) -> SearchGapQuerySet:
        """Open gaps that are significant, or that were solved and have come back."""
        significant = self.significant().values("pk")
        open_ = self.filter(status=SearchGap.Status.OPEN)
        return open_.filter(Q(pk__in=significant) | Q(fell=True))


class SearchGap(models.Model):
    """Searches of one side with the same meaning. `words` is their most common spelling.

    Only `kb.quality.search_gaps` writes it. `misses`, `empty` and `picks` are sums
    over its spellings: searches without a pick, those of them without a result, and
    searches with a pick. `meaning` and `sound` are digests by which spellings are
    grouped, and `told` holds the content characters of the words. `fell`: it was
    solved once and is not found again.
    """

    class Status(models.TextChoices):
        OPEN = "open", "待处理"
        VERIFYING = "proving", "待验证"
        CLOSED = "closed", "已解决"
        DECLINED = "declined", "不归我们"

    class Remedy(models.TextChoices):
        DRAFT = "draft", "新建了草稿"
        PHRASING = "phrasing", "加了相似问法"
        SYNONYM = "synonym", "加了同义词"

    words = models.CharField("搜索的话", max_length=MAX_SEARCH_CHARS)
    side = models.CharField("谁搜的", max_length=6, choices=SearchSide.choices)
    meaning = models.CharField(max_length=32, editable=False)
    sound = models.CharField(max_length=32, editable=False)
    told = models.CharField(max_length=MAX_SEARCH_CHARS * 2, editable=False)
    status = models.CharField(
        "状态", max_length=8, choices=Status.choices, default=Status.OPEN
    )
    entry = models.ForeignKey(
        Entry,
        verbose_name="应该找到",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="search_gaps",
    )
    remedy = models.CharField(
        "怎么处理的", max_length=8, choices=Remedy.choices, blank=True
    )
    reason = models.CharField("原因", max_length=MAX_SEARCH_CHARS, blank=True)
    rank = models.PositiveSmallIntegerField("验证时的名次", null=True, editable=False)
    fell = models.BooleanField("解决后又找不到了", default=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="处理人",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    settled_at = models.DateTimeField("处理时间", null=True, blank=True)
    misses = models.PositiveIntegerField("没用上的次数", default=0)
    empty = models.PositiveIntegerField("没有结果的次数", default=0)
    picks = models.PositiveIntegerField("用上了的次数", default=0)
    last_at = models.DateTimeField("最近一次", default=timezone.now)
    created_at = models.DateTimeField("出现时间", auto_now_add=True)

    objects = SearchGapQuerySet.as_manager()

    class Meta:
        ordering = ["-misses", "-last_at", "pk"]
        verbose_name = "搜索缺口"
        verbose_name_plural = "搜索缺口"
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="declined") | ~Q(reason=""),
                name="kb_searchgap_declined_has_reason",
                violation_error_message="请写明为什么不归我们。",
            )
        ]
        indexes = [models.Index(fields=["status", "side", "-misses"])]

    def __str__(self) -> str:
        return self.words


class SearchGapSpelling(models.Model):
    """One spelling of the words of a gap, with the counts of the searches that are kept."""

    gap = models.ForeignKey(
        SearchGap, on_delete=models.CASCADE, related_name="spellings"
    )
    words = models.CharField(max_length=MAX_SEARCH_CHARS)
    words_key = models.CharField(max_length=32)
    side = models.CharField(max_length=6, choices=SearchSide.choices)
    misses = models.PositiveIntegerField(default=0)
    empty = models.PositiveIntegerField(default=0)
    picks = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-misses", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["side", "words_key"], name="kb_searchgapspelling_once"
            )
        ]

    def __str__(self) -> str:
        return self.words


class SearchGapCheckpoint(models.Model):
    """One row: until when searches have been collected into gaps."""

    upto = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.upto:%Y-%m-%d %H:%M}"
