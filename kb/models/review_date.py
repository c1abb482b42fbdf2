"""The date on which a row has to be reviewed again."""

from __future__ import annotations

from django.db import models


class ReviewDateMixin(models.Model):
    """A row that its owner has to review again on a date."""

    review_at = models.DateField(
        "复核日期",
        null=True,
        blank=True,
        db_index=True,
        help_text="到这一天，它会出现在负责人的「待复核」里。留空按分类的复核间隔。",
    )
    reviewed_at = models.DateTimeField("上次复核", null=True, editable=False)

    class Meta:
        abstract = True
