"""Which state of a stored index the database has written to it."""

from __future__ import annotations

from django.db import models


class IndexStamp(models.Model):
    """One index, by the name that it got when it was built.

    The index carries a stamp with every commit. The database knows two: that of
    the last commit, and that of the commit under way, which may have happened
    when its process died. Any other stamp means that an older copy of the index
    or of the database was put back.
    """

    name = models.CharField(max_length=32, primary_key=True)
    committed = models.CharField(max_length=80)
    pending = models.CharField(max_length=80)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.committed
