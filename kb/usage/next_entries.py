"""Entries that are asked next: follow-ups of the editors, then what was copied next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.utils import timezone

from kb.models import CopyEvent, Entry, User
from kb.usage.evidence_levels import (
    MIN_EVIDENCE_PERSONS,
    PICK_HALF_LIFE,
    PICK_RETENTION,
)

MAX_NEXT_ENTRIES = 5
MAX_EXAMINED_COPIES = 500  # latest copies of the entry
# Within which all copies of one basket are recorded.
BASKET_COPY_PERIOD = timedelta(seconds=5)
MAX_STRENGTH_PER_PERSON = 3.0  # so that one busy agent does not decide alone
# by_id, conversation, entry_id, kind, at
CopyRow = tuple[int | None, str, int, str, datetime]


@dataclass(frozen=True, slots=True)
class NextEntry:
    """An entry that is asked next, chosen by an editor or counted from copies."""

    entry: Entry
    is_chosen_by_editor: bool


def list_next_entries(entry: Entry, *, user: User) -> list[NextEntry]:
    """Return entries asked after `entry` that `user` may read, at most MAX_NEXT_ENTRIES."""
    readable = Entry.objects.published_to(user).in_force()
    chosen = [
        NextEntry(follow_up, True)
        for follow_up in readable.follow_ups_of(entry)[:MAX_NEXT_ENTRIES]
    ]
    excluded_ids = {next_entry.entry.pk for next_entry in chosen} | {entry.pk}
    ranked_ids = [pk for pk in _rank_copied_next(entry) if pk not in excluded_ids]
    entries_by_id = readable.in_bulk(ranked_ids)
    copied_next = [
        NextEntry(entries_by_id[pk], False) for pk in ranked_ids if pk in entries_by_id
    ]
    return [*chosen, *copied_next][:MAX_NEXT_ENTRIES]


def _rank_copied_next(entry: Entry) -> list[int]:
    """Return ids of entries that several people copied next, strongest first.

    strength = Σ over persons of min(MAX_STRENGTH_PER_PERSON,
               Σ over their conversations of ½^(age / PICK_HALF_LIFE))

    The decay is that of `compute_evidence_level`. Entries that fewer than
    MIN_EVIDENCE_PERSONS copied are left out.
    """
    now = timezone.now()
    shares: dict[int, dict[int | None, float]] = defaultdict(lambda: defaultdict(float))
    for person, next_id, copied_at in _find_next_copies(
        entry, since=now - PICK_RETENTION
    ):
        shares[next_id][person] += 0.5 ** ((now - copied_at) / PICK_HALF_LIFE)
    strength = {
        next_id: sum(
            min(share, MAX_STRENGTH_PER_PERSON) for share in shares_by_person.values()
        )
        for next_id, shares_by_person in shares.items()
        if len(shares_by_person) >= MIN_EVIDENCE_PERSONS
    }
    return sorted(strength, key=lambda pk: (-strength[pk], pk))


def _find_next_copies(
    entry: Entry, *, since: datetime
) -> Iterator[tuple[int | None, int, datetime]]:
    """Yield (user id, entry id, time) of the next copy, once per conversation."""
    copies = CopyEvent.objects.exclude(conversation="").filter(at__gte=since)
    conversations = (
        copies.filter(entry=entry).order_by("-at").values_list("conversation")
    )
    names = [name for (name,) in conversations[:MAX_EXAMINED_COPIES]]
    rows = copies.filter(conversation__in=names, entry__isnull=False)
    copy_rows = rows.order_by("by", "conversation", "at", "pk").values_list(
        "by_id", "conversation", "entry_id", "kind", "at"
    )
    for (by, _), group in groupby(copy_rows, key=lambda row: row[:2]):
        if following := _find_following_copy(entry.pk, list(group)):
            yield by, *following


def _find_following_copy(
    entry_id: int, copies: Iterable[CopyRow]
) -> tuple[int, datetime] | None:
    """Return (entry id, time) of the first copy of another entry after `entry_id`.

    Copies of the same basket do not follow each other.
    """
    previous: CopyRow | None = None
    for row in copies:
        *_, copied_id, kind, at = row
        if copied_id == entry_id:
            previous = row
        elif previous and not (
            kind == previous[3] == "basket" and at - previous[4] < BASKET_COPY_PERIOD
        ):
            return copied_id, at
    return None
