"""Every version is kept, and any of them can be had back, as a new one."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import F, QuerySet

from kb import audit
from kb.entries.content import Content, content, contents
from kb.models import Act, Deed, Entry, Revision, User
from kb.text import normalize

# What changes the words that readers get and has no deed of its own.
TEXT_ACTS = {Act.WROTE, Act.TRANSLATED, Act.PHRASED, Act.ADOPTED, Act.MERGED}
BATCH = 500  # entries whose versions are kept at once


def revisions(entry: Entry) -> QuerySet[Revision]:
    """Return the versions of `entry` that are kept, the latest first."""
    return entry.revisions.select_related("by", "judge")


def begin(entry: Entry) -> None:
    """Keep the version that stands in the database, if nobody has yet.

    What was imported, or written before versions were kept, has none.
    """
    if not entry.revisions.filter(version=entry.version).exists():
        _row(entry, content(entry)).save()


def keep(
    entry: Entry,
    *,
    by: User | None,
    act: Act,
    note: str = "",
    judge: User | None = None,
) -> None:
    """Keep `entry` as it stands now as its version; the same version is kept anew."""
    if entry.status == Entry.Status.PUBLISHED and act in TEXT_ACTS:
        audit.note(Deed.Act.CHANGED, f"「{entry}」#{entry.pk} {Act(act).label}", by=by)
    row = _row(entry, content(entry))
    row.act, row.by, row.judge = act, by, judge
    row.note, row.at = normalize.line(note)[:200], entry.updated_at
    Revision.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["entry", "version"],
        update_fields=["act", "by", "judge", "note", "at", "status", "content"],
    )


def complete(entry: Entry) -> None:
    """Keep along what was written to the entry after its columns."""
    kept = Revision.objects.filter(entry=entry, version=entry.version)
    kept.update(content=content(entry))


@transaction.atomic
def begin_all(entries: Collection[Entry]) -> None:
    """Do what `begin` does, before many are written at once."""
    ids = [entry.pk for entry in entries]
    for start in range(0, len(ids), BATCH):
        some = Entry.objects.filter(pk__in=ids[start : start + BATCH])
        kept = Revision.objects.filter(entry__in=some, version=F("entry__version"))
        rest = list(some.exclude(pk__in=kept.values("entry")))
        said = contents(entry.pk for entry in rest)
        Revision.objects.bulk_create(_row(entry, said[entry.pk]) for entry in rest)


def keep_all(entries: Collection[Entry], *, by: User | None) -> None:
    """Keep the versions that an import has just written over older ones."""
    found = list(entries)
    for start in range(0, len(found), BATCH):
        some = found[start : start + BATCH]
        said = contents(entry.pk for entry in some)
        rows = [_row(entry, said[entry.pk]) for entry in some]
        for row in rows:
            row.by, row.act = by, Act.IMPORTED
        Revision.objects.bulk_create(rows)


def _row(entry: Entry, said: Content) -> Revision:
    """Return the version as far as the entry itself tells of it."""
    act = Act.MADE if entry.version == 1 else Act.WROTE
    return Revision(
        entry=entry,
        version=entry.version,
        act=act,
        at=entry.updated_at,
        by=entry.updated_by,
        status=entry.status,
        content=said,
    )
