"""Who may see an entry: one rule, said of rows in SQL and of one row in Python."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Q

from kb.models.user import Reader, get_visible_category_ids
from kb.models.validity import build_in_force_filter

STATUS_PUBLISHED, AUDIENCE_PUBLIC = (
    "published",
    "public",
)  # an Entry.Status, an Entry.Audience


class EntryVisibility(NamedTuple):
    """What of an entry decides who may see it."""

    status: str
    audience: str
    category_id: int | None
    is_in_force: bool

    @property
    def is_published(self) -> bool:
        return self.status == STATUS_PUBLISHED

    def is_visible_to(self, user: Reader) -> bool:
        """Tell what `visible` tells of a row."""
        shown = get_visible_category_ids(user)
        if shown is not None and self.category_id not in shown:
            return False
        if user.is_authenticated and user.can_edit_library:
            return True
        if not self.is_published:
            return False
        if user.is_authenticated and user.can_read_library:
            return True
        return self.audience == AUDIENCE_PUBLIC and self.is_in_force


def build_visibility_filter(user: Reader, prefix: str = "") -> Q:
    """Return the entries `user` may know of, seen from a row that `prefix` joins.

    Colleagues see what is out of force as well, marked so; customers do not.
    """
    if (shown := get_visible_category_ids(user)) is not None:
        return Q(**{f"{prefix}category__in": shown}) & _build_role_filter(user, prefix)
    return _build_role_filter(user, prefix)


def _build_role_filter(user: Reader, prefix: str) -> Q:
    if user.is_authenticated and user.can_edit_library:
        return Q(**{f"{prefix}pk__isnull": False})
    published = Q(**{f"{prefix}status": STATUS_PUBLISHED})
    if user.is_authenticated and user.can_read_library:
        return published
    public = Q(**{f"{prefix}audience": AUDIENCE_PUBLIC})
    return published & public & build_in_force_filter(prefix)
