"""Imports that were carried out, row by row, so that each can be undone."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ImportBatch(models.Model):
    """One imported file. Only `kb.import_export` writes and undoes it."""

    kind = models.CharField("导入了什么", max_length=10)
    name = models.CharField("文件", max_length=200)
    summary = models.CharField("结果", max_length=200)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="谁",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    at = models.DateTimeField("时间", auto_now_add=True)
    undone_at = models.DateTimeField("撤销时间", null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "导入记录"
        verbose_name_plural = "导入记录"

    def __str__(self) -> str:
        return f"{self.name}（{self.at:%Y-%m-%d %H:%M}）"


class ImportedRow(models.Model):
    """What an import changed in one row of the database.

    `before` and `after` hold columns, or version numbers of an entry. `before` is
    None for a row that the import created.
    """

    batch = models.ForeignKey(
        ImportBatch, on_delete=models.CASCADE, related_name="rows"
    )
    row = models.PositiveBigIntegerField()
    title = models.CharField(max_length=80)
    before = models.JSONField(null=True)
    after = models.JSONField()
    undone = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.title


class ImportColumnName(models.Model):
    """The field that a user chose for an unknown column heading; "" ignores the column."""

    kind = models.CharField(max_length=10)
    heading = models.CharField(max_length=100)  # normalized
    field = models.CharField(max_length=30, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "heading"], name="kb_importcolumnname_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.heading} → {self.field or '不读'}"
