"""Every version is kept, and any of them can be had back, as a new one."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import F, QuerySet

from kb.accounts import audit_log
from kb.library.entries.snapshots import EntrySnapshot, take_snapshot, take_snapshots
from kb.models import AuditEvent, Entry, EntryRevision, RevisionAction, User
from kb.text.chinese import normalize

# What changes the words that readers get and has no deed of its own.
TEXT_CHANGING_ACTIONS = {
    RevisionAction.EDITED,
    RevisionAction.TRANSLATED,
    RevisionAction.PHRASING_ADDED,
    RevisionAction.REPLY_ADOPTED,
    RevisionAction.QUESTION_MERGED,
}
REVISION_BATCH_ENTRIES = 500  # entries whose versions are kept at once


def list_entry_revisions(entry: Entry) -> QuerySet[EntryRevision]:
    """Return the versions of `entry` that are kept, the latest first."""
    return entry.revisions.select_related("by", "judge")


def ensure_current_revision(entry: Entry) -> None:
    """Keep the version that stands in the database, if nobody has yet.

    What was imported, or written before versions were kept, has none.
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
    """Keep `entry` as it stands now as its version; the same version is kept anew."""
    if entry.status == Entry.Status.PUBLISHED and act in TEXT_CHANGING_ACTIONS:
        audit_log.record_event(
            AuditEvent.Action.CHANGED,
            f"「{entry}」#{entry.pk} {RevisionAction(act).label}",
            by=by,
        )
    row = _build_revision(entry, take_snapshot(entry))
    row.act, row.by, row.judge = act, by, judge
    row.note, row.at = normalize.clean_single_line(note)[:200], entry.updated_at
    EntryRevision.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["entry", "version"],
        update_fields=["act", "by", "judge", "note", "at", "status", "content"],
    )


def refresh_revision_content(entry: Entry) -> None:
    """Keep along what was written to the entry after its columns."""
    kept = EntryRevision.objects.filter(entry=entry, version=entry.version)
    kept.update(content=take_snapshot(entry))


@transaction.atomic
def ensure_current_revisions(entries: Collection[Entry]) -> None:
    """Do what `begin` does, before many are written at once."""
    ids = [entry.pk for entry in entries]
    for start in range(0, len(ids), REVISION_BATCH_ENTRIES):
        some = Entry.objects.filter(pk__in=ids[start : start + REVISION_BATCH_ENTRIES])
        kept = EntryRevision.objects.filter(entry__in=some, version=F("entry__version"))
        rest = list(some.exclude(pk__in=kept.values("entry")))
        said = take_snapshots(entry.pk for entry in rest)
        EntryRevision.objects.bulk_create(
            _build_revision(entry, said[entry.pk]) for entry in rest
        )


def record_imported_revisions(entries: Collection[Entry], *, by: User | None) -> None:
    """Keep the versions that an import has just written over older ones."""
    found = list(entries)
    for start in range(0, len(found), REVISION_BATCH_ENTRIES):
        some = found[start : start + REVISION_BATCH_ENTRIES]
        said = take_snapshots(entry.pk for entry in some)
        rows = [_build_revision(entry, said[entry.pk]) for entry in some]
        for row in rows:
            row.by, row.act = by, RevisionAction.IMPORTED
        EntryRevision.objects.bulk_create(rows)


def _build_revision(entry: Entry, said: EntrySnapshot) -> EntryRevision:
    """Return the version as far as the entry itself tells of it."""
    act = RevisionAction.CREATED if entry.version == 1 else RevisionAction.EDITED
    return EntryRevision(
        entry=entry,
        version=entry.version,
        act=act,
        at=entry.updated_at,
        by=entry.updated_by,
        status=entry.status,
        content=said,
    )
