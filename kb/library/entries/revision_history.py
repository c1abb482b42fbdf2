"""The revisions of entries: every saved version with a snapshot of its content."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import F, QuerySet

from kb.accounts import audit_log
from kb.library.entries.snapshots import EntrySnapshot, take_snapshot, take_snapshots
from kb.models import AuditEvent, Entry, EntryRevision, RevisionAction, User
from kb.text.chinese import normalize

# Actions that change a published text and log no audit event of their own.
TEXT_CHANGING_ACTIONS = {
    RevisionAction.EDITED,
    RevisionAction.TRANSLATED,
    RevisionAction.PHRASING_ADDED,
    RevisionAction.REPLY_ADOPTED,
    RevisionAction.QUESTION_MERGED,
}
REVISION_BATCH_ENTRIES = 500  # per query


def list_entry_revisions(entry: Entry) -> QuerySet[EntryRevision]:
    """Return the revisions of `entry`, latest first."""
    return entry.revisions.select_related("by", "judge")


def ensure_current_revision(entry: Entry) -> None:
    """Record the stored version of `entry` if it has no revision.

    Entries from an import, or from before revisions existed, have none.
    """
    if not entry.revisions.filter(version=entry.version).exists():
        _build_revision(entry, take_snapshot(entry)).save()


def record_revision(
    entry: Entry,
    *,
    by: User | None,
    act: RevisionAction,
    note: str = "",
    judge: User | None = None,
) -> None:
    """Record the stored content of `entry` as the revision of its version.

    A revision of the same version is replaced. A change of a published text is also
    recorded in the audit log.
    """
    if entry.status == Entry.Status.PUBLISHED and act in TEXT_CHANGING_ACTIONS:
        audit_log.record_event(
            AuditEvent.Action.CHANGED,
            f"「{entry}」#{entry.pk} {RevisionAction(act).label}",
            by=by,
        )
    revision = _build_revision(entry, take_snapshot(entry))
    revision.act, revision.by, revision.judge = act, by, judge
    revision.note, revision.at = (
        normalize.clean_single_line(note)[:200],
        entry.updated_at,
    )
    EntryRevision.objects.bulk_create(
        [revision],
        update_conflicts=True,
        unique_fields=["entry", "version"],
        update_fields=["act", "by", "judge", "note", "at", "status", "content"],
    )


def refresh_revision_content(entry: Entry) -> None:
    """Update the content of the current revision after related rows were written."""
    revisions = EntryRevision.objects.filter(entry=entry, version=entry.version)
    revisions.update(content=take_snapshot(entry))


@transaction.atomic
def ensure_current_revisions(entries: Collection[Entry]) -> None:
    """Do what `ensure_current_revision` does, for many entries."""
    ids = [entry.pk for entry in entries]
    for start in range(0, len(ids), REVISION_BATCH_ENTRIES):
        batch = Entry.objects.filter(pk__in=ids[start : start + REVISION_BATCH_ENTRIES])
        recorded = EntryRevision.objects.filter(
            entry__in=batch, version=F("entry__version")
        )
        missing = list(batch.exclude(pk__in=recorded.values("entry")))
        snapshots_by_id = take_snapshots(entry.pk for entry in missing)
        EntryRevision.objects.bulk_create(
            _build_revision(entry, snapshots_by_id[entry.pk]) for entry in missing
        )


def record_imported_revisions(entries: Collection[Entry], *, by: User | None) -> None:
    """Record the versions of existing entries that an import has just written."""
    all_entries = list(entries)
    for start in range(0, len(all_entries), REVISION_BATCH_ENTRIES):
        batch = all_entries[start : start + REVISION_BATCH_ENTRIES]
        snapshots_by_id = take_snapshots(entry.pk for entry in batch)
        revisions = [
            _build_revision(entry, snapshots_by_id[entry.pk]) for entry in batch
        ]
        for revision in revisions:
            revision.by, revision.act = by, RevisionAction.IMPORTED
        EntryRevision.objects.bulk_create(revisions)


def _build_revision(entry: Entry, snapshot: EntrySnapshot) -> EntryRevision:
    """Return an unsaved revision with what the columns of `entry` say about it."""
    act = RevisionAction.CREATED if entry.version == 1 else RevisionAction.EDITED
    return EntryRevision(
        entry=entry,
        version=entry.version,
        act=act,
        at=entry.updated_at,
        by=entry.updated_by,
        status=entry.status,
        content=snapshot,
    )


def find_revision(entry: Entry, version: int) -> EntryRevision | None:
    return EntryRevision.objects.filter(entry=entry, version=version).first()


def find_previous_revision(revision: EntryRevision) -> EntryRevision | None:
    """Return the stored version before `revision`; versions need not be consecutive."""
    rows = EntryRevision.objects.filter(entry=revision.entry_id)
    return rows.filter(version__lt=revision.version).first()  # latest first


def find_published_revision(entry: Entry) -> EntryRevision | None:
    """Return the latest version that was published."""
    rows = EntryRevision.objects.filter(entry=entry)
    return rows.filter(status=Entry.Status.PUBLISHED).first()  # latest first
