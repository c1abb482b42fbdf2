"""A phrasing: another way in which customers ask an entry's question."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from kb.models.entry import Entry
from kb.models.question import Question
from kb.text import normalize


class Phrasing(models.Model):
    """Feeds search."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="phrasings")
    text = models.CharField("相似问法", max_length=200)
    text_key = models.CharField(max_length=32, editable=False)
    question = models.ForeignKey(
        Question,
        verbose_name="来自问题",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="phrasings",
    )

    class Meta:
        ordering = ["id"]
        verbose_name = "相似问法"
        verbose_name_plural = "相似问法"
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="kb_phrasing_has_text"),
            models.UniqueConstraint(
                fields=["entry", "text_key"],
                name="kb_phrasing_unique",
                violation_error_message="这条目里已有这个问法。",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        self.text = normalize.line(self.text)
        self.text_key = normalize.key(self.text)

    def save(self, *args: object, **kwargs: object) -> None:
        self.text_key = normalize.key(self.text)
        super().save(*args, **kwargs)  # type: ignore[arg-type]
