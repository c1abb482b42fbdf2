"""What customers ask next: editors' own follow-ups, then what people copied next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.utils import timezone

from kb.feedback.weighing import FEWEST, GONE, HALF_LIFE
from kb.models import Copy, Entry, User

MOST = 5  # shown after a copy
LATEST = 500  # copies of the entry that are looked at
AT_ONCE = timedelta(seconds=5)  # within which the copies of a basket are recorded
LOUDEST = 3.0  # conversations for which one person counts at most
Taken = tuple[int | None, str, int, str, datetime]  # by, conversation, entry, kind, at


@dataclass(frozen=True, slots=True)
class Sequel:
    """`chosen` by an editor, or else counted."""

    entry: Entry
    chosen: bool


def sequels(entry: Entry, *, user: User) -> list[Sequel]:
    """Return what is asked after `entry`, of what `user` may read, at most MOST."""
    readable = Entry.objects.published_to(user).in_force()
    found = [Sequel(then, True) for then in readable.following(entry)[:MOST]]
    known = {one.entry.pk for one in found} | {entry.pk}
    ranked = [pk for pk in _counted(entry) if pk not in known]
    there = readable.in_bulk(ranked)
    counted = [Sequel(there[pk], False) for pk in ranked if pk in there]
    return [*found, *counted][:MOST]


def _counted(entry: Entry) -> list[int]:
    """Return the entries that several people copied next, the strongest first.

    The strength is the sum over persons of ½^(age / HALF_LIFE) of each of their
    conversations, at most LOUDEST each; what one person alone does is no sign.
    """
    now = timezone.now()
    told: dict[int, dict[int | None, float]] = defaultdict(lambda: defaultdict(float))
    for by, then, at in _next_copies(entry, since=now - GONE):
        told[then][by] += 0.5 ** ((now - at) / HALF_LIFE)
    strength = {
        then: sum(min(share, LOUDEST) for share in people.values())
        for then, people in told.items()
        if len(people) >= FEWEST
    }
    return sorted(strength, key=lambda pk: (-strength[pk], pk))


def _next_copies(
    entry: Entry, *, since: datetime
) -> Iterator[tuple[int | None, int, datetime]]:
    """Yield (person, entry, when) of what came next, once for each conversation."""
    kept = Copy.objects.exclude(conversation="").filter(at__gte=since)
    talks = kept.filter(entry=entry).order_by("-at").values_list("conversation")
    names = [name for (name,) in talks[:LATEST]]
    rows = kept.filter(conversation__in=names, entry__isnull=False)
    taken = rows.order_by("by", "conversation", "at", "pk").values_list(
        "by_id", "conversation", "entry_id", "kind", "at"
    )
    for (by, _), talk in groupby(taken, key=lambda row: row[:2]):
        if found := _following(entry.pk, list(talk)):
            yield by, *found


def _following(pk: int, talk: Iterable[Taken]) -> tuple[int, datetime] | None:
    """Return what was first copied after `pk`, another entry and another text."""
    before: Taken | None = None
    for row in talk:
        *_, entry, kind, at = row
        if entry == pk:
            before = row
        elif before and not (
            kind == before[3] == "basket" and at - before[4] < AT_ONCE
        ):
            return entry, at
    return None
