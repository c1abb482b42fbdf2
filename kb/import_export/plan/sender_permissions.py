"""What a file may do is what its sender may: told row by row, before it is tried."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from kb.library import entries
from kb.library.entries import StatusAndCategory
from kb.models import User

PermissionRefusal = tuple[str, str]  # the field to name, and why


class SenderPermissions:
    """Answers for the sender of one file; what rows have in common is asked once."""

    def __init__(self, by: User | None) -> None:
        self.by = by
        self._refusals_by_step: dict[
            tuple[StatusAndCategory, StatusAndCategory | None], PermissionRefusal | None
        ] = {}

    def find_refusal(
        self, now: StatusAndCategory, was: StatusAndCategory | None
    ) -> PermissionRefusal | None:
        """Return why an entry may not get from `was`, None when new, to `now`."""
        if self.by is None:
            return None
        if (now, was) not in self._refusals_by_step:
            self._refusals_by_step[now, was] = _check_file_permission(
                now, was, by=self.by
            )
        return self._refusals_by_step[now, was]


def _check_file_permission(
    now: StatusAndCategory, was: StatusAndCategory | None, *, by: User
) -> PermissionRefusal | None:
    try:
        entries.require_import_allowed(now, was, by=by)
    except ValidationError as error:
        name = "category" if error.code == "remit" else "status"
        return name, "".join(error.messages).rstrip("。")
    return None
