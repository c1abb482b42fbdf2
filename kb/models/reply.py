"""A reply: an agent's words for an entry, plain text with {{blanks}}."""

from __future__ import annotations

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q

from kb.models.entry import Entry
from kb.models.question import Channel
from kb.text import normalize


class Reply(models.Model):
    """One of an entry's several."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="replies")
    label = models.CharField("名称", max_length=20, default="标准")
    body = models.TextField(
        "话术",
        validators=[MaxLengthValidator(4000)],
        help_text="纯文本。要客服填的地方写成 {{订单号}}。",
    )
    channel = models.CharField(
        "渠道",
        max_length=10,
        choices=Channel.choices,
        blank=True,
        help_text="留空表示通用",
    )
    order = models.PositiveSmallIntegerField("次序", default=0)

    class Meta:
        ordering = ["order", "id"]
        verbose_name = "话术"
        verbose_name_plural = "话术"
        constraints = [
            models.CheckConstraint(condition=~Q(body=""), name="kb_reply_has_body")
        ]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        self.label = normalize.line(self.label)
        self.body = normalize.clean(self.body).strip()
