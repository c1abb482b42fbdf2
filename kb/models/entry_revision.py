"""Revisions: every version of an entry, with who wrote it, when and why."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from kb.models.entry import Entry


class RevisionAction(models.TextChoices):
    """The action that made a version."""

    CREATED = "made", "新建"
    EDITED = "wrote", "修改"
    TRANSLATED = "translated", "改繁體"
    PHRASING_ADDED = "phrased", "加相似问法"
    QUESTION_MERGED = "merged", "并入问题"
    REPLY_ADOPTED = "adopted", "收录话术"
    IMPORTED = "imported", "导入"
    SUBMITTED = "submitted", "提交审核"
    WITHDRAWN = "withdrawn", "撤回"
    RETURNED = "returned", "退回"
    PUBLISHED = "published", "发布"
    APPROVED = "approved", "通过修改"
    RETIRED = "retired", "下线"
    RESTORED = "restored", "恢复为草稿"
    REVERTED = "reverted", "恢复到旧版"


# Actions whose user is an author of the text.
AUTHORING_ACTIONS = (
    RevisionAction.CREATED,
    RevisionAction.EDITED,
    RevisionAction.TRANSLATED,
    RevisionAction.IMPORTED,
    RevisionAction.REVERTED,
)


class UnescapedJSONEncoder(DjangoJSONEncoder):
    """Writes Chinese characters as they are, in half the length of escaped ones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "ensure_ascii": False})


class EntryRevision(models.Model):
    """One complete version of an entry: texts, translation, phrasings, tags, follow-ups.

    Only editors may read it. An entry that was never changed after its import has
    no row yet: the entry itself is its only version.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="revisions")
    version = models.PositiveIntegerField("版本")
    act = models.CharField("怎么来的", max_length=10, choices=RevisionAction.choices)
    note = models.CharField("修改说明", max_length=200, blank=True)
    at = models.DateTimeField("时间", default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="谁",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    judge = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="审核人",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    status = models.CharField("状态", max_length=10, choices=Entry.Status.choices)
    # As kb.library.entries.snapshots makes it.
    content = models.JSONField(encoder=UnescapedJSONEncoder)

    class Meta:
        ordering = ["-version"]
        verbose_name = "历史版本"
        verbose_name_plural = "历史版本"
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "version"], name="kb_entryrevision_once_a_version"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.entry_id} 第 {self.version} 版"
