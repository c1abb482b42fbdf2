"""Votes on whether an entry helped, and the handling of complaints. The only writer of Vote.

A complaint is a vote that an entry did not help. Editors correct the entry and then mark
its complaints as handled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from kb.models import Entry, Pick, SearchSide, User, Vote
from kb.usage.evidence import update_evidence
from kb.usage.masking import mask_words
from kb.usage.picks import record_pick

MAX_VOTES_PER_COMPLAINT = 10  # latest votes that are shown per entry


@dataclass(frozen=True, slots=True)
class VoteReason:
    """Why an entry did not help: one of Vote.Reason, a free note, or both."""

    reason: str = ""
    note: str = ""


NO_REASON = VoteReason()


@dataclass(frozen=True, slots=True)
class EntryComplaint:
    """The complaints about one entry."""

    entry: Entry
    count: int
    reasons: Sequence[tuple[str, int]]  # (label, number of votes), most first
    votes: Sequence[Vote]  # the latest with a reason, else the latest
    without_reason: int
    newest_at: str  # time of the latest vote, in ISO format


@transaction.atomic
def record_vote(
    entry: Entry,
    *,
    helpful: bool,
    words: str,
    person: str,
    side: SearchSide,
    reason: VoteReason = NO_REASON,
) -> Vote:
    """Record whether `entry` helped `person`, in place of their earlier vote.

    A helpful vote after a search for `words` is also a pick; an unhelpful one deletes
    such picks.
    """
    values = {
        "helpful": helpful,
        "words": mask_words(words),
        "created_at": timezone.now(),
    }
    if helpful or reason != NO_REASON:
        values |= _build_reason_columns(NO_REASON if helpful else reason)
    else:  # a repeated vote without a reason keeps the earlier one
        values |= {"handled_at": None, "handled_by": None}
    vote, _ = Vote.objects.update_or_create(entry=entry, person=person, defaults=values)
    if helpful:
        kind = Pick.Kind.HELPFUL
        record_pick(entry, words=words, person=person, side=side, kind=kind)
    else:
        _delete_helpful_picks(entry, person=person, side=side)
    return vote


def _delete_helpful_picks(entry: Entry, *, person: str, side: SearchSide) -> None:
    picks = Pick.objects.filter(entry=entry, person=person, kind=Pick.Kind.HELPFUL)
    keys = list(picks.values_list("words_key", flat=True))
    picks.delete()
    update_evidence((entry.pk, side, key) for key in keys)


def _build_reason_columns(reason: VoteReason) -> dict[str, Any]:
    """Return the columns of a vote with `reason`, marked as not handled."""
    valid_reason = reason.reason if reason.reason in Vote.Reason.values else ""
    columns = {"reason": valid_reason, "note": mask_words(reason.note)}
    return columns | {"handled_at": None, "handled_by": None}


def query_entries_with_complaints() -> QuerySet[Any, Any]:
    """Return a row {entry, n} for each entry with complaints that are not handled."""
    return Vote.objects.unhandled().order_by().values("entry").annotate(n=Count("pk"))


def list_complaints(limit: int, *, handled: bool = False) -> list[EntryComplaint]:
    """Return entries with open complaints, most complaints first, at most `limit`.

    With `handled`, those with handled complaints, last handled first.
    """
    votes = Vote.objects.unhelpful().filter(handled_at__isnull=not handled)
    order = ("-last",) if handled else ("-count", "-last")
    rows = (
        votes.values("entry")
        .annotate(
            count=Count("pk"), last=Max("handled_at" if handled else "created_at")
        )
        .order_by(*order, "entry")[:limit]
    )
    counts = {row["entry"]: row["count"] for row in rows}
    entries = Entry.objects.select_related("category").in_bulk(counts)
    return [_build_complaint(entries[pk], counts[pk], handled) for pk in counts]


def _build_complaint(entry: Entry, count: int, handled: bool) -> EntryComplaint:
    votes = entry.votes.unhelpful().filter(handled_at__isnull=not handled)
    reason_counts = (
        votes.exclude(reason="").values_list("reason").annotate(n=Count("pk"))
    )
    reasons = [
        (str(Vote.Reason(reason).label), n)
        for reason, n in reason_counts.order_by("-n", "reason")
    ]
    with_reason = votes.exclude(reason="", note="").order_by("-created_at", "-pk")
    latest = votes.order_by("-created_at", "-pk")
    shown = list(with_reason[:MAX_VOTES_PER_COMPLAINT]) or list(
        latest[:MAX_VOTES_PER_COMPLAINT]
    )
    without_reason = votes.filter(reason="", note="").count()
    return EntryComplaint(
        entry,
        count,
        reasons,
        shown,
        without_reason,
        newest_at=latest[0].created_at.isoformat(),
    )


def mark_complaints_handled(entry: Entry, *, upto: datetime, by: User | None) -> int:
    """Mark the complaints about `entry` up to the time `upto` as handled.

    `upto` is the time of the newest one that `by` has read. Returns how many.
    """
    complaints = Vote.objects.unhandled().filter(entry=entry, created_at__lte=upto)
    return complaints.update(handled_at=timezone.now(), handled_by=by)


def find_last_handled_complaint(user: User, *, since: datetime) -> Vote | None:
    """Return one of the complaints that `user` handled last, after `since`."""
    handled = Vote.objects.unhelpful().filter(handled_by=user, handled_at__gt=since)
    return handled.select_related("entry").order_by("-handled_at", "-pk").first()


def reopen_complaints(entry: Entry, *, handled_at: datetime | None = None) -> int:
    """Mark handled complaints about `entry` as open again; return how many.

    With `handled_at` only those that were handled at that time.
    """
    handled = Vote.objects.unhelpful().filter(entry=entry).exclude(handled_at=None)
    if handled_at is not None:
        handled = handled.filter(handled_at=handled_at)
    return handled.update(handled_at=None, handled_by=None)
