"""Index stamps: the state of a stored index that the database expects."""

from __future__ import annotations

from django.db import models


class IndexStamp(models.Model):
    """The stamps of one index, by the name that it got when it was built.

    Every commit of the index writes a stamp into it. The database holds two stamps:
    of the last commit, and of the commit in progress, which may have succeeded
    before its process was killed. Any other stamp means that an older copy of the
    index or of the database was restored.
    """

    name = models.CharField(max_length=32, primary_key=True)
    committed = models.CharField(max_length=80)
    pending = models.CharField(max_length=80)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.committed
