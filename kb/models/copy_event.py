"""Copy events: what agents copied to their clipboard, in order."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from kb.models.channel import Channel
from kb.models.entry import Entry
from kb.models.reply import Reply
from kb.models.search import MAX_SEARCH_CHARS


class CopyEvent(models.Model):
    """One text that an agent copied. Only `kb.usage` writes it.

    `variant` is the name of the reply, which stays when the reply is deleted.
    `conversation` is a token that the browser makes for each customer; it shows
    which texts were copied one after another.
    """

    class Kind(models.TextChoices):
        REPLY = "reply", "话术"
        BASKET = "basket", "组合"
        LINK = "link", "链接"
        PICTURE = "picture", "图片"

    # None: a personal reply or one of the team that belongs to no entry.
    entry = models.ForeignKey(
        Entry, null=True, blank=True, on_delete=models.CASCADE, related_name="copies"
    )
    reply = models.ForeignKey(
        Reply, null=True, blank=True, on_delete=models.SET_NULL, related_name="copies"
    )
    variant = models.CharField("话术名称", max_length=20, blank=True)
    kind = models.CharField("复制了什么", max_length=7, choices=Kind.choices)
    words = models.CharField("搜索的话", max_length=MAX_SEARCH_CHARS, blank=True)
    rank = models.PositiveIntegerField("第几条", null=True, blank=True)
    channel = models.CharField("渠道", max_length=10, choices=Channel, blank=True)
    took_ms = models.PositiveIntegerField("用时（毫秒）", null=True, blank=True)
    conversation = models.CharField("会话", max_length=24, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="客服",
        null=True,
        on_delete=models.SET_NULL,
        related_name="copies",
    )
    at = models.DateTimeField("时间", default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "复制记录"
        verbose_name_plural = "复制记录"
        indexes = [
            models.Index(fields=["by", "-at"]),
            models.Index(fields=["entry", "-at"]),
            models.Index(
                fields=["conversation", "at"],
                condition=~models.Q(conversation=""),
                name="kb_copyevent_conversation",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.entry_id} {self.variant}"
