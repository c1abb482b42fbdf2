"""Who may see an entry: one rule, as a filter for queries and as a test of one row."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Q

from kb.models.user import Reader, get_visible_category_ids
from kb.models.validity import build_in_force_filter

STATUS_PUBLISHED = "published"  # an Entry.Status
AUDIENCE_PUBLIC = "public"  # an Entry.Audience


class EntryVisibility(NamedTuple):
    """The values of an entry that decide who may see it."""

    status: str
    audience: str
    category_id: int | None
    is_in_force: bool

    @property
    def is_published(self) -> bool:
        return self.status == STATUS_PUBLISHED

    def is_visible_to(self, user: Reader) -> bool:
        """Return whether `user` may see the entry: build_visibility_filter for one row."""
        category_ids = get_visible_category_ids(user)
        if category_ids is not None and self.category_id not in category_ids:
            return False
        if user.is_authenticated and user.can_edit_library:
            return True
        if not self.is_published:
            return False
        if user.is_authenticated and user.can_read_library:
            return True
        return self.audience == AUDIENCE_PUBLIC and self.is_in_force


def build_visibility_filter(user: Reader, prefix: str = "") -> Q:
    """Return a filter for the entries that `user` may see.

    `prefix` is the path to the entry from the filtered table, such as "entry__".
    Staff also see entries that are not in force, which pages mark; customers do not.
    """
    role_filter = _build_role_filter(user, prefix)
    if (category_ids := get_visible_category_ids(user)) is not None:
        return Q(**{f"{prefix}category__in": category_ids}) & role_filter
    return role_filter


def _build_role_filter(user: Reader, prefix: str) -> Q:
    if user.is_authenticated and user.can_edit_library:
        return Q(**{f"{prefix}pk__isnull": False})
    published = Q(**{f"{prefix}status": STATUS_PUBLISHED})
    if user.is_authenticated and user.can_read_library:
        return published
    public = Q(**{f"{prefix}audience": AUDIENCE_PUBLIC})
    return published & public & build_in_force_filter(prefix)
