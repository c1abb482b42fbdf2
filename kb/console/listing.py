"""The list beside the box: what was found, or what is at hand before anything is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import prefetch_related_objects
from django.http import Http404
from django.utils import timezone

from kb import agents, replies, search
from kb.console.forms import Asked
from kb.console.kept import Kept, kept
from kb.feedback import used
from kb.models import Category, Entry, EntryQuerySet, Reply, User, replies_for
from kb.text import message, normalize

PAGE = 20  # entries in the list at a time
SHELF = 5  # entries of each group before anything is typed
SHORTEST_CODE, LONGEST_CODE = 2, 20  # characters of a short code
NUMBER = re.compile(r"[#＃]?\s*([0-9]{1,9})")
FAVOURITES, RECENT, WEEKLY = "收藏", "最近用过", "本周常用"
ANSWER = "FAQ 答案"
CHANGED, EARLIER = "昨天以来更新的", "更早"


@dataclass(frozen=True, slots=True)
class Row:
    """An entry of the list with what an agent can send of it, never nothing."""

    entry: Entry
    variants: Sequence[Reply]
    group: str = ""
    favoured: bool = False
    number: int = 1  # in the list as it is shown
    preview = "console/home/_entry_preview.html"

    @property
    def path(self) -> list[Category]:
        """Return the categories down to the entry's own; one query."""
        category = self.entry.category
        return list(category.ancestors(include_self=True)) if category else []


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list, and how it came about."""

    rows: Sequence[Row]
    total: int
    terms: Sequence[str] = ()
    degraded: bool = False
    near: bool = False  # nothing was found; these are only the nearest
    meant: str = ""
    kept: Sequence[Kept] = ()


def listing(asked: Asked, *, user: User) -> Listing:
    """Return the page of the list that `asked` asks for; 404 past the end."""
    made = _found(asked, user=user) if asked.words else _at_hand(asked, user=user)
    if asked.page > 1 and not made.rows:
        raise Http404("没有这一页。")
    return made


def one(pk: int | None, asked: Asked, *, user: User) -> Row | None:
    """Return the entry `pk` with what can be sent of it, as far as `user` may."""
    if pk is None:
        return None
    live = Entry.objects.published_to(user).select_related("category")
    rows = _rows(live.filter(pk=pk), asked, user, agents.favourites(user))
    return next(iter(rows), None)


# What was found ------------------------------------------------------------------


def _found(asked: Asked, *, user: User) -> Listing:
    start = (asked.page - 1) * PAGE
    found = search.search(
        asked.words, user=user, within=asked.within, offset=start, limit=PAGE
    )
    near = [hit.entry for hit in found.near] if not start else []
    hits = [hit.entry for hit in found.hits]
    meant = _named(asked, user=user) if not start else []
    known = {entry.pk for entry in meant}
    shown = meant + [entry for entry in hits or near if entry.pk not in known]
    more = len(known - {entry.pk for entry in hits})
    listed = shown if hits or not meant else meant
    own = kept(asked, listed, user=user)
    return Listing(
        _rows(listed, asked, user, agents.favourites(user), first=len(own) + 1),
        found.total + more,
        found.terms,
        found.degraded,
        bool(near) and not meant,
        found.meant,
        own,
    )


def _named(asked: Asked, *, user: User) -> list[Entry]:
    """Return the entries whose number or short code is just what was typed."""
    live = asked.within.of(Entry.objects.published_to(user), user).select_related(
        "category"
    )
    if number := NUMBER.fullmatch(asked.words):
        return list(live.filter(pk=int(number[1])))
    code = normalize.normalize(asked.words)
    if not SHORTEST_CODE <= len(code) <= LONGEST_CODE or " " in code:
        return []
    likely = live.filter(keywords__icontains=asked.words)[:PAGE]
    return [
        entry
        for entry in likely
        if code in map(normalize.normalize, entry.keywords.split())
    ]


# What is at hand -------------------------------------------------------------------


def _at_hand(asked: Asked, *, user: User) -> Listing:
    """Before anything is typed: an agent's own, then what changed, then the rest."""
    live = asked.within.of(Entry.objects.published_to(user), user).select_related(
        "category"
    )
    latest = live.order_by("-updated_at", "-pk")
    start = (asked.page - 1) * PAGE
    kept = agents.favourites(user)
    groups = {} if start else _own(live, kept, user=user)
    rest = [e for e in latest[start : start + PAGE] if e.pk not in groups]
    since = _yesterday()
    known = dict(groups)
    for entry in rest:
        changed = entry.updated_at >= since
        known[entry.pk] = (entry, CHANGED if changed else EARLIER)
    names = {pk: group for pk, (_, group) in known.items()}
    entries = [entry for entry, _ in known.values()]
    if set(names.values()) <= {EARLIER}:
        names = {}
    return Listing(_rows(entries, asked, user, kept, names), latest.count())


def _own(
    live: EntryQuerySet, kept: Sequence[int], *, user: User
) -> dict[int, tuple[Entry, str]]:
    """Return what `user` keeps, used last, and what everybody uses, each once."""
    wanted = {
        FAVOURITES: kept[: used.MOST],
        RECENT: used.lately(user),
        WEEKLY: used.often(timezone.now() - timedelta(days=7)),
    }
    held = live.in_bulk({pk for ids in wanted.values() for pk in ids})
    found: dict[int, tuple[Entry, str]] = {}
    for group, ids in wanted.items():
        fresh = [pk for pk in ids if pk in held and pk not in found]
        found |= {pk: (held[pk], group) for pk in fresh[:SHELF]}
    return found


def _yesterday() -> datetime:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1)


# What can be sent --------------------------------------------------------------


def _rows(
    entries: Iterable[Entry],
    asked: Asked,
    user: User,
    kept: Collection[int],
    groups: Mapping[int, str] | None = None,
    *,
    first: int = 1,
) -> list[Row]:
    listed = list(entries)
    prefetch_related_objects(listed, replies_for(user))
    return [
        Row(
            entry,
            _variants(entry, asked),
            (groups or {}).get(entry.pk, ""),
            entry.pk in kept,
            number,
        )
        for number, entry in enumerate(listed, first)
    ]


def _variants(entry: Entry, asked: Asked) -> list[Reply]:
    """Return what fits `channel`, what is made for this customer first.

    Where editors wrote nothing that fits, the public answer as text is there, too.
    """
    written = list(entry.replies.all())
    if asked.channel:
        written = [r for r in written if r.channel in ("", asked.channel)]
    fit = replies.fitting(written, channel=asked.channel, segment=asked.segment)
    if entry.answer and not any(reply.is_shared for reply in fit):
        text = message.of_answer(entry.answer_html, asked.site)
        fit.append(Reply(label=ANSWER, body=text, text=text))
    return fit
