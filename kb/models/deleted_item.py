"""The trash: deleted rows, kept for some days so that they can be restored."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models

from kb.models.entry_revision import UnescapedJSONEncoder


class DeletedItem(models.Model):
    """One deleted row with everything that was deleted along with it.

    Only `kb.operations.trash` writes it. `rows` are serialized by Django, parents
    first, beginning with the deleted row itself. `links` are the columns of other
    rows that pointed there and were set to NULL: [label, column, [primary keys],
    value]. Items that were deleted together share a `batch`, so that one 撤销
    restores all of them.
    """

    content_type = models.ForeignKey(
        ContentType, verbose_name="类型", on_delete=models.CASCADE, related_name="+"
    )
    object_id = models.PositiveBigIntegerField("编号")
    name = models.CharField("名称", max_length=200)
    batch = models.UUIDField(default=uuid4, editable=False, db_index=True)
    rows = models.JSONField("内容", encoder=UnescapedJSONEncoder)
    links = models.JSONField(default=list, encoder=UnescapedJSONEncoder)
    file = models.BinaryField(null=True)  # of a picture
    deleted_at = models.DateTimeField("删除时间", auto_now_add=True, db_index=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="谁删除的",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        ordering = ["-deleted_at", "-pk"]
        verbose_name = "回收站"
        verbose_name_plural = "回收站"
        default_permissions = ()  # who may delete a kind of row may restore it

    def __str__(self) -> str:
        return self.name
