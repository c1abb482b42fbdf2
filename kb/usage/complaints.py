"""Votes that an entry did not help: editors mend the entry and note that it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from kb.models import Entry, User, Vote
from kb.usage.masking import mask_words

MAX_VOTES_PER_COMPLAINT = 10  # votes of an entry that are shown, the latest first


@dataclass(frozen=True, slots=True)
class VoteReason:
    """A reason, or a word of one's own, or both."""

    reason: str = ""
    note: str = ""


NO_REASON = VoteReason()


@dataclass(frozen=True, slots=True)
class EntryComplaint:
    """What readers of one entry say against it."""

    entry: Entry
    count: int
    reasons: Sequence[tuple[str, int]]  # what it is called, and how many say so
    votes: Sequence[Vote]  # the latest that say why, else the latest
    without_reason: int
    newest_at: str  # when the latest vote came, in ISO form


def build_reason_columns(why: VoteReason) -> dict[str, Any]:
    """Return the columns of a vote that say `why`; it is then to be read anew."""
    known = why.reason if why.reason in Vote.Reason.values else ""
    columns = {"reason": known, "note": mask_words(why.note)}
    return columns | {"handled_at": None, "handled_by": None}


def query_entries_with_complaints() -> QuerySet[Any, Any]:
    """Return a row for each entry of which nobody has read why it did not help."""
    return Vote.objects.unhandled().order_by().values("entry").annotate(n=Count("pk"))


def list_complaints(limit: int, *, handled: bool = False) -> list[EntryComplaint]:
    """Return entries that did not help, those with the most open complaints first.

    With `handled`, those that were dealt with, the latest first.
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
    said = votes.exclude(reason="").values_list("reason").annotate(n=Count("pk"))
    reasons = [
        (str(Vote.Reason(reason).label), n)
        for reason, n in said.order_by("-n", "reason")
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
    """Call the complaints about `entry` dealt with that somebody has read.

    `upto` is when the newest of them came; returns how many there are.
    """
    seen = Vote.objects.unhandled().filter(entry=entry, created_at__lte=upto)
    return seen.update(handled_at=timezone.now(), handled_by=by)


def find_last_handled_complaint(user: User, *, since: datetime) -> Vote | None:
    """Return one of the complaints that `user` dealt with last, and not before `since`."""
    mine = Vote.objects.unhelpful().filter(handled_by=user, handled_at__gt=since)
    return mine.select_related("entry").order_by("-handled_at", "-pk").first()


def reopen_complaints(entry: Entry, *, at: datetime | None = None) -> int:
    """Let complaints about `entry` wait again; return how many there are.

    With `at`, only those that were dealt with at that moment.
    """
    dealt = Vote.objects.unhelpful().filter(entry=entry).exclude(handled_at=None)
    if at is not None:
        dealt = dealt.filter(handled_at=at)
    return dealt.update(handled_at=None, handled_by=None)
