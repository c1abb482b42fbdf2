"""Who may see an entry: one rule, said of rows in SQL and of one row in Python."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Q

from kb.models.user import Reader, shown_to
from kb.models.validity import in_force

PUBLISHED, PUBLIC = "published", "public"  # an Entry.Status, an Entry.Audience


class Standing(NamedTuple):
    """What of an entry decides who may see it."""

    status: str
    audience: str
    category_id: int | None
    in_force: bool

    @property
    def is_published(self) -> bool:
        return self.status == PUBLISHED

    def is_visible_to(self, user: Reader) -> bool:
        """Tell what `visible` tells of a row."""
        shown = shown_to(user)
        if shown is not None and self.category_id not in shown:
            return False
        if user.is_authenticated and user.edits_library:
            return True
        if not self.is_published:
            return False
        if user.is_authenticated and user.reads_library:
            return True
        return self.audience == PUBLIC and self.in_force


def visible(user: Reader, prefix: str = "") -> Q:
    """Return the entries `user` may know of, seen from a row that `prefix` joins.

    Colleagues see what is out of force as well, marked so; customers do not.
    """
    if (shown := shown_to(user)) is not None:
        return Q(**{f"{prefix}category__in": shown}) & _permitted(user, prefix)
    return _permitted(user, prefix)


def _permitted(user: Reader, prefix: str) -> Q:
    if user.is_authenticated and user.edits_library:
        return Q(**{f"{prefix}pk__isnull": False})
    published = Q(**{f"{prefix}status": PUBLISHED})
    if user.is_authenticated and user.reads_library:
        return published
    public = Q(**{f"{prefix}audience": PUBLIC})
    return published & public & in_force(prefix)
