"""Changes of texts outside of entries: before, after, who and when."""

from __future__ import annotations

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models

from kb.models.fields import ProseField


class TextRevision(models.Model):
    """The change of one column of one row. Only `kb.library.text_gate` writes it.

    Entries have revisions of their own (EntryRevision). `name` is the name of the
    row, which stays after the row has been deleted.
    """

    class Action(models.TextChoices):
        CREATED = "made", "新增"
        CHANGED = "changed", "修改"
        RESTORED = "restored", "恢复"
        DELETED = "deleted", "删除"

    content_type = models.ForeignKey(
        ContentType, verbose_name="类型", on_delete=models.CASCADE, related_name="+"
    )
    object_id = models.PositiveBigIntegerField("编号")
    name = models.CharField("名称", max_length=200)
    act = models.CharField("怎么改的", max_length=8, choices=Action.choices)
    field = models.CharField("哪一项", max_length=30)
    before = ProseField("原来的内容", blank=True)
    after = ProseField("改后的内容", blank=True)
    at = models.DateTimeField("时间", auto_now_add=True, db_index=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="谁",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "文字修改记录"
        verbose_name_plural = "文字修改记录"
        indexes = [models.Index(fields=["content_type", "object_id", "-at"])]

    def __str__(self) -> str:
        return f"{self.get_act_display()}「{self.name}」"

    @property
    def field_label(self) -> str:
        """The name of the column on pages."""
        model = self.content_type.model_class()
        fields = {f.name: f for f in model._meta.concrete_fields} if model else {}
        field = fields.get(self.field)
        return str(field.verbose_name) if field else self.field
