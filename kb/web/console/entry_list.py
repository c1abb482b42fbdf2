"""The list beside the box: what was found, or what is at hand before anything is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import prefetch_related_objects
from django.http import Http404
from django.utils import timezone

from kb import search, usage
from kb.accounts import preferences
from kb.library import replies
from kb.models import (
    Category,
    Entry,
    EntryQuerySet,
    Reply,
    User,
    prefetch_readable_replies,
)
from kb.text.chinese import normalize
from kb.text.markup import chat_text
from kb.web.console.forms import ConsoleRequest
from kb.web.console.own_replies import OwnReplyRow, list_own_replies

ENTRIES_PER_PAGE = 20  # entries in the list at a time
ENTRIES_PER_GROUP = 5  # entries of each group before anything is typed
MIN_SHORT_CODE_CHARS, MAX_SHORT_CODE_CHARS = 2, 20  # characters of a short code
ENTRY_NUMBER_PATTERN = re.compile(r"[#＃]?\s*([0-9]{1,9})")
GROUP_FAVORITES, GROUP_RECENT, GROUP_WEEKLY = "收藏", "最近用过", "本周常用"
ANSWER_LABEL = "FAQ 答案"
GROUP_CHANGED, GROUP_EARLIER = "昨天以来更新的", "更早"


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry of the list with what an agent can send of it, never nothing."""

    entry: Entry
    variants: Sequence[Reply]
    group: str = ""
    is_favorite: bool = False
    number: int = 1  # in the list as it is shown
    preview_template = "console/home/_entry_preview.html"

    @property
    def category_path(self) -> list[Category]:
        """Return the categories down to the entry's own; one query."""
        category = self.entry.category
        return list(category.ancestors(include_self=True)) if category else []


@dataclass(frozen=True, slots=True)
class EntryList:
    """A page of the list, and how it came about."""

    rows: Sequence[EntryRow]
    total: int
    terms_to_highlight: Sequence[str] = ()
    is_degraded: bool = False
    is_near: bool = False  # nothing was found; these are only the nearest
    did_you_mean: str = ""
    own_replies: Sequence[OwnReplyRow] = ()


def list_entries(asked: ConsoleRequest, *, user: User) -> EntryList:
    """Return the page of the list that `asked` asks for; 404 past the end."""
    made = (
        _search_entries(asked, user=user)
        if asked.query
        else _list_before_search(asked, user=user)
    )
    if asked.page > 1 and not made.rows:
        raise Http404("没有这一页。")
    return made


def get_entry_row(
    pk: int | None, asked: ConsoleRequest, *, user: User
) -> EntryRow | None:
    """Return the entry `pk` with what can be sent of it, as far as `user` may."""
    if pk is None:
        return None
    live = Entry.objects.published_to(user).select_related("category")
    rows = _build_rows(
        live.filter(pk=pk), asked, user, preferences.list_favorite_ids(user)
    )
    return next(iter(rows), None)


# What was found ------------------------------------------------------------------


def _search_entries(asked: ConsoleRequest, *, user: User) -> EntryList:
    start = (asked.page - 1) * ENTRIES_PER_PAGE
    found = search.search_entries(
        asked.query,
        user=user,
        within=asked.filters,
        offset=start,
        limit=ENTRIES_PER_PAGE,
    )
    near = [hit.entry for hit in found.near_hits] if not start else []
    hits = [hit.entry for hit in found.hits]
    meant = _find_by_number_or_code(asked, user=user) if not start else []
    known = {entry.pk for entry in meant}
    shown = meant + [entry for entry in hits or near if entry.pk not in known]
    more = len(known - {entry.pk for entry in hits})
    listed = shown if hits or not meant else meant
    own = list_own_replies(asked, listed, user=user)
    return EntryList(
        _build_rows(
            listed, asked, user, preferences.list_favorite_ids(user), first=len(own) + 1
        ),
        found.total + more,
        found.terms_to_highlight,
        found.is_degraded,
        bool(near) and not meant,
        found.did_you_mean,
        own,
    )


def _find_by_number_or_code(asked: ConsoleRequest, *, user: User) -> list[Entry]:
    """Return the entries whose number or short code is just what was typed."""
    live = asked.filters.filter_entries(
        Entry.objects.published_to(user), user
    ).select_related("category")
    if number := ENTRY_NUMBER_PATTERN.fullmatch(asked.query):
        return list(live.filter(pk=int(number[1])))
    code = normalize.normalize_text(asked.query)
    if not MIN_SHORT_CODE_CHARS <= len(code) <= MAX_SHORT_CODE_CHARS or " " in code:
        return []
    likely = live.filter(keywords__icontains=asked.query)[:ENTRIES_PER_PAGE]
    return [
        entry
        for entry in likely
        if code in map(normalize.normalize_text, entry.keywords.split())
    ]


# What is at hand -------------------------------------------------------------------


def _list_before_search(asked: ConsoleRequest, *, user: User) -> EntryList:
    """Before anything is typed: an agent's own, then what changed, then the rest."""
    live = asked.filters.filter_entries(
        Entry.objects.published_to(user), user
    ).select_related("category")
    latest = live.order_by("-updated_at", "-pk")
    start = (asked.page - 1) * ENTRIES_PER_PAGE
    kept = preferences.list_favorite_ids(user)
    groups = {} if start else _list_own_groups(live, kept, user=user)
    rest = [e for e in latest[start : start + ENTRIES_PER_PAGE] if e.pk not in groups]
    since = _get_start_of_yesterday()
    known = dict(groups)
    for entry in rest:
        changed = entry.updated_at >= since
        known[entry.pk] = (entry, GROUP_CHANGED if changed else GROUP_EARLIER)
    names = {pk: group for pk, (_, group) in known.items()}
    entries = [entry for entry, _ in known.values()]
    if set(names.values()) <= {GROUP_EARLIER}:
        names = {}
    return EntryList(_build_rows(entries, asked, user, kept, names), latest.count())


def _list_own_groups(
    live: EntryQuerySet, kept: Sequence[int], *, user: User
) -> dict[int, tuple[Entry, str]]:
    """Return what `user` keeps, used last, and what everybody uses, each once."""
    wanted = {
        GROUP_FAVORITES: kept[: usage.MAX_COPIED_ENTRIES],
        GROUP_RECENT: usage.list_recently_copied_ids(user),
        GROUP_WEEKLY: usage.list_often_copied_ids(timezone.now() - timedelta(days=7)),
    }
    held = live.in_bulk({pk for ids in wanted.values() for pk in ids})
    found: dict[int, tuple[Entry, str]] = {}
    for group, ids in wanted.items():
        fresh = [pk for pk in ids if pk in held and pk not in found]
        found |= {pk: (held[pk], group) for pk in fresh[:ENTRIES_PER_GROUP]}
    return found


def _get_start_of_yesterday() -> datetime:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1)


# What can be sent --------------------------------------------------------------


def _build_rows(
    entries: Iterable[Entry],
    asked: ConsoleRequest,
    user: User,
    kept: Collection[int],
    groups: Mapping[int, str] | None = None,
    *,
    first: int = 1,
) -> list[EntryRow]:
    listed = list(entries)
    prefetch_related_objects(listed, prefetch_readable_replies(user))
    return [
        EntryRow(
            entry,
            _list_variants(entry, asked),
            (groups or {}).get(entry.pk, ""),
            entry.pk in kept,
            number,
        )
        for number, entry in enumerate(listed, first)
    ]


def _list_variants(entry: Entry, asked: ConsoleRequest) -> list[Reply]:
    """Return what fits `channel`, what is made for this customer first.

    Where editors wrote nothing that fits, the public answer as text is there, too.
    """
    written = list(entry.replies.all())
    if asked.channel:
        written = [r for r in written if r.channel in ("", asked.channel)]
    fit = replies.sort_replies_by_fit(
        written, channel=asked.channel, segment=asked.segment_id
    )
    if entry.answer and not any(reply.is_shared for reply in fit):
        text = chat_text.format_answer_for_chat(entry.answer_html, asked.site_url)
        fit.append(Reply(label=ANSWER_LABEL, body=text, text=text))
    return fit
