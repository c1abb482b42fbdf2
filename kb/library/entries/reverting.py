"""Restore an old version of an entry as a new version, with all current checks."""

from __future__ import annotations

from django.db import transaction

from kb.accounts import audit_log
from kb.library.entries import entry_rights
from kb.library.entries.entry_saving import lock_entry, save_new_version
from kb.library.entries.snapshots import apply_snapshot
from kb.library.entries.status_changes import require_publishable_text
from kb.models import (
    AuditEvent,
    CategoryRight,
    Entry,
    EntryRevision,
    RevisionAction,
    User,
)


@transaction.atomic
def revert_entry(
    revision: EntryRevision, *, by: User | None, based_on: int, note: str = ""
) -> tuple[Entry, list[str]]:
    """Restore the content of `revision`; the status of the entry stays.

    Returns the entry, and labels of content that no longer exists (a deleted tag).
    Raises PermissionDenied, and ValidationError, also when somebody saved since
    version `based_on`.
    """
    entry = lock_entry(revision.entry, based_on=based_on)
    entry_rights.require_category_right(CategoryRight.WRITE, entry.category_id, by=by)
    entry_rights.require_direct_edit(entry, by=by)
    missing = apply_snapshot(entry, revision.content)
    entry_rights.require_permitted_category(
        CategoryRight.WRITE, entry.category_id, by=by
    )
    if entry.status == Entry.Status.PUBLISHED:
        require_publishable_text(entry)
    description = f"恢复到第 {revision.version} 版"
    note = f"{description}：{note}" if note else description
    entry = save_new_version(entry, by=by, act=RevisionAction.REVERTED, note=note)
    audit_log.record_event(
        AuditEvent.Action.REVERTED, f"「{entry}」#{entry.pk} {description}", by=by
    )
    return entry, missing
