"""Searches: what readers typed, and how many results they got."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from kb.models.entry import Entry
from kb.text.chinese import normalize

MAX_SEARCH_CHARS = 200


class SearchSide(models.TextChoices):
    """Who searches. What customers pick does not change the results of staff, or vice versa."""

    PUBLIC = "public", "顾客"
    STAFF = "staff", "同事"


class SearchWordsMixin(models.Model):
    """Searched words, and a key that is equal for all their spellings."""

    words = models.CharField("搜索的话", max_length=MAX_SEARCH_CHARS)
    words_key = models.CharField(max_length=32, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.words_key = normalize.compute_spelling_key(self.words)
        super().save(*args, **kwargs)


class Search(SearchWordsMixin):
    """A search that was submitted. `by` is set for staff only.

    `person` is a keyed hash that tells customers apart without naming them.
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
                name="kb_search_public_has_no_user",
            )
        ]
        indexes = [models.Index(fields=["words_key", "side", "-created_at"])]

    def __str__(self) -> str:
        return self.words
