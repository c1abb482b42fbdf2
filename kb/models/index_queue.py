"""The outbox between the database and the search engine."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

MAX_SMALL_BATCH_ENTRIES = (
    50  # entries of one act that the request itself brings up to date
)


class IndexQueueQuerySet(models.QuerySet["IndexQueue"]):
    def due(self) -> IndexQueueQuerySet:
        """Marks whose moment has come; others wait for theirs."""
        return self.filter(due_at__lte=timezone.now())

    def in_small_batches(self) -> IndexQueueQuerySet:
        """Marks of acts that touched few entries."""
        return self.filter(lot_size__lte=MAX_SMALL_BATCH_ENTRIES)


class IndexQueue(models.Model):
    """An entry the index has not caught up with.

    Holds no operation and no payload: `index.sync` reads the entry itself and
    decides, so marks may repeat, arrive in any order, or outlive their entry.
    """

    entry_id = models.BigIntegerField("条目编号")
    # From when it is to be done: an entry that begins or ends then is marked before.
    due_at = models.DateTimeField("到期时间", default=timezone.now, db_index=True)
    marked_at = models.DateTimeField("标记时间", auto_now_add=True)
    # How many entries were marked by the same act: small lots go first, so that an
    # editor's save does not wait behind a category of thousands.
    lot_size = models.PositiveIntegerField("同批条数", default=1)

    objects = IndexQueueQuerySet.as_manager()

    class Meta:
        verbose_name = "待索引"
        verbose_name_plural = "待索引"
        indexes = [models.Index(fields=["lot_size", "-id"], name="kb_stale_lot")]

    def __str__(self) -> str:
        return f"#{self.entry_id}"
