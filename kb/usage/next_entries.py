"""What customers ask next: editors' own follow-ups, then what people copied next."""

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

MAX_NEXT_ENTRIES = 5  # shown after a copy
MAX_EXAMINED_COPIES = 500  # copies of the entry that are looked at
BASKET_COPY_PERIOD = timedelta(
    seconds=5
)  # within which the copies of a basket are recorded
MAX_STRENGTH_PER_PERSON = 3.0  # conversations for which one person counts at most
CopyRow = tuple[
    int | None, str, int, str, datetime
]  # by, conversation, entry, kind, at


@dataclass(frozen=True, slots=True)
class NextEntry:
    """`chosen` by an editor, or else counted."""

    entry: Entry
    is_chosen_by_editor: bool


def list_next_entries(entry: Entry, *, user: User) -> list[NextEntry]:
    """Return what is asked after `entry`, of what `user` may read, at most MOST."""
    readable = Entry.objects.published_to(user).in_force()
    found = [
        NextEntry(then, True)
        for then in readable.follow_ups_of(entry)[:MAX_NEXT_ENTRIES]
    ]
    known = {one.entry.pk for one in found} | {entry.pk}
    ranked = [pk for pk in _rank_copied_next(entry) if pk not in known]
    there = readable.in_bulk(ranked)
    counted = [NextEntry(there[pk], False) for pk in ranked if pk in there]
    return [*found, *counted][:MAX_NEXT_ENTRIES]


def _rank_copied_next(entry: Entry) -> list[int]:
    """Return the entries that several people copied next, the strongest first.

    The strength is the sum over persons of ½^(age / HALF_LIFE) of each of their
    conversations, at most LOUDEST each; what one person alone does is no sign.
    """
    now = timezone.now()
    told: dict[int, dict[int | None, float]] = defaultdict(lambda: defaultdict(float))
    for by, then, at in _find_next_copies(entry, since=now - PICK_RETENTION):
        told[then][by] += 0.5 ** ((now - at) / PICK_HALF_LIFE)
    strength = {
        then: sum(min(share, MAX_STRENGTH_PER_PERSON) for share in people.values())
        for then, people in told.items()
        if len(people) >= MIN_EVIDENCE_PERSONS
    }
    return sorted(strength, key=lambda pk: (-strength[pk], pk))


def _find_next_copies(
    entry: Entry, *, since: datetime
) -> Iterator[tuple[int | None, int, datetime]]:
    """Yield (person, entry, when) of what came next, once for each conversation."""
    kept = CopyEvent.objects.exclude(conversation="").filter(at__gte=since)
    talks = kept.filter(entry=entry).order_by("-at").values_list("conversation")
    names = [name for (name,) in talks[:MAX_EXAMINED_COPIES]]
    rows = kept.filter(conversation__in=names, entry__isnull=False)
    taken = rows.order_by("by", "conversation", "at", "pk").values_list(
        "by_id", "conversation", "entry_id", "kind", "at"
    )
    for (by, _), talk in groupby(taken, key=lambda row: row[:2]):
        if found := _find_following_copy(entry.pk, list(talk)):
            yield by, *found


def _find_following_copy(
    pk: int, talk: Iterable[CopyRow]
) -> tuple[int, datetime] | None:
    """Return what was first copied after `pk`, another entry and another text."""
    before: CopyRow | None = None
    for row in talk:
        *_, entry, kind, at = row
        if entry == pk:
            before = row
        elif before and not (
            kind == before[3] == "basket" and at - before[4] < BASKET_COPY_PERIOD
        ):
            return entry, at
    return None
