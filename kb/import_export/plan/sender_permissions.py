"""Whether the sender of a file may make the changes of a row, checked while planning."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from kb.library import entries
from kb.library.entries import StatusAndCategory
from kb.models import User

PermissionRefusal = tuple[str, str]  # the field to name, and why


class SenderPermissions:
    """The permissions of the sender of one file, cached for equal changes."""

    def __init__(self, by: User | None) -> None:
        self.by = by
        self._refusals: dict[
            tuple[StatusAndCategory, StatusAndCategory | None], PermissionRefusal | None
        ] = {}

    def find_refusal(
        self, after: StatusAndCategory, before: StatusAndCategory | None
    ) -> PermissionRefusal | None:
        """Return why an entry may not change from `before`, None if new, to `after`."""
        if self.by is None:
            return None
        if (after, before) not in self._refusals:
            self._refusals[after, before] = _check_permission(after, before, by=self.by)
        return self._refusals[after, before]


def _check_permission(
    after: StatusAndCategory, before: StatusAndCategory | None, *, by: User
) -> PermissionRefusal | None:
    try:
        entries.require_import_allowed(after, before, by=by)
    except ValidationError as error:
        name = "category" if error.code == "remit" else "status"
        return name, "".join(error.messages).rstrip("。")
    return None
