"""The outbox from the database to the search engine."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

# Up to so many entries of one action are indexed by the request itself.
MAX_SMALL_BATCH_ENTRIES = 50


class IndexQueueQuerySet(models.QuerySet["IndexQueue"]):
    def due(self) -> IndexQueueQuerySet:
        """Marks that are due now."""
        return self.filter(due_at__lte=timezone.now())

    def in_small_batches(self) -> IndexQueueQuerySet:
        """Marks of actions that changed few entries."""
        return self.filter(lot_size__lte=MAX_SMALL_BATCH_ENTRIES)


class IndexQueue(models.Model):
    """A mark: an entry that has to be indexed again.

    It holds neither an operation nor data: `kb.index.sync` reads the entry itself. So
    marks may be repeated, come in any order, and outlive their entry.
    """

    entry_id = models.BigIntegerField("条目编号")
    # In the future for an entry that comes into force or ends then.
    due_at = models.DateTimeField("到期时间", default=timezone.now, db_index=True)
    marked_at = models.DateTimeField("标记时间", auto_now_add=True)
    # How many entries the same action marked. Small lots go first, so that the save of
    # one entry does not wait behind a category of thousands.
    lot_size = models.PositiveIntegerField("同批条数", default=1)

    objects = IndexQueueQuerySet.as_manager()

    class Meta:
        verbose_name = "待索引"
        verbose_name_plural = "待索引"
        indexes = [models.Index(fields=["lot_size", "-id"], name="kb_indexqueue_lot")]

    def __str__(self) -> str:
        return f"#{self.entry_id}"
