"""The list of the console: the results of a search, or useful entries before one."""

from __future__ import annotations

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
from kb.search.code_lookup import find_entries_by_code, query_filtered_entries
from kb.search.scope import SearchFilters
from kb.text.markup import chat_text
from kb.web.console.forms import ConsoleRequest
from kb.web.console.own_replies import OwnReplyRow, list_own_replies

ENTRIES_PER_PAGE = 20
ENTRIES_PER_GROUP = 5  # before a search
GROUP_FAVORITES, GROUP_RECENT, GROUP_WEEKLY = "收藏", "最近用过", "本周常用"
ANSWER_LABEL = "FAQ 答案"
GROUP_CHANGED, GROUP_EARLIER = "昨天以来更新的", "更早"


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry of the list with the texts that an agent can send."""

    entry: Entry
    variants: Sequence[Reply]
    group: str = ""
    is_favorite: bool = False
    number: int = 1  # position in the list
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
    is_near: bool = False  # there are no hits; the rows are the nearest entries
    did_you_mean: str = ""
    own_replies: Sequence[OwnReplyRow] = ()


def list_entries(console_request: ConsoleRequest, *, user: User) -> EntryList:
    """Return the requested page of the list; 404 after the last page."""
    if console_request.query:
        listing = _search_entries(console_request, user=user)
    else:
        listing = _list_before_search(console_request, user=user)
    if console_request.page > 1 and not listing.rows:
        raise Http404("没有这一页。")
    return listing


def get_entry_row(
    pk: int | None, console_request: ConsoleRequest, *, user: User
) -> EntryRow | None:
    """Return the row of the entry `pk`, whatever the filters; None if unreadable."""
    if pk is None:
        return None
    entries = query_filtered_entries(SearchFilters(), user=user).filter(pk=pk)
    favorite_ids = preferences.list_favorite_ids(user)
    rows = _build_rows(entries, console_request, user, favorite_ids)
    return next(iter(rows), None)


# Results of a search -------------------------------------------------------------


def _search_entries(console_request: ConsoleRequest, *, user: User) -> EntryList:
    """Return a page of results; entries with that number or code come first."""
    start = (console_request.page - 1) * ENTRIES_PER_PAGE
    results = search.search_entries(
        console_request.query,
        user=user,
        within=console_request.filters,
        offset=start,
        limit=ENTRIES_PER_PAGE,
    )
    near = [hit.entry for hit in results.near_hits] if not start else []
    hits = [hit.entry for hit in results.hits]
    exact: list[Entry] = []
    if not start:
        exact = find_entries_by_code(
            console_request.query, filters=console_request.filters, user=user
        )
    exact_ids = {entry.pk for entry in exact}
    if hits or not exact:
        entries = exact + [e for e in hits or near if e.pk not in exact_ids]
    else:
        entries = exact
    own_replies = list_own_replies(console_request, entries, user=user)
    rows = _build_rows(
        entries,
        console_request,
        user,
        preferences.list_favorite_ids(user),
        first_number=len(own_replies) + 1,
    )
    return EntryList(
        rows,
        results.total + len(exact_ids - {entry.pk for entry in hits}),
        results.terms_to_highlight,
        results.is_degraded,
        bool(near) and not exact,
        results.did_you_mean,
        own_replies,
    )


# Before a search -----------------------------------------------------------------


def _list_before_search(console_request: ConsoleRequest, *, user: User) -> EntryList:
    """Return the agent's favourites and recent entries, then all by last change."""
    entries = query_filtered_entries(console_request.filters, user=user)
    latest = entries.order_by("-updated_at", "-pk")
    start = (console_request.page - 1) * ENTRIES_PER_PAGE
    favorite_ids = preferences.list_favorite_ids(user)
    grouped = {} if start else _group_useful_entries(entries, favorite_ids, user=user)
    page = latest[start : start + ENTRIES_PER_PAGE]
    remaining = [entry for entry in page if entry.pk not in grouped]
    since = _get_start_of_yesterday()
    for entry in remaining:
        is_new = entry.updated_at >= since
        grouped[entry.pk] = (entry, GROUP_CHANGED if is_new else GROUP_EARLIER)
    groups = {pk: group for pk, (_, group) in grouped.items()}
    if set(groups.values()) <= {GROUP_EARLIER}:  # one group needs no heading
        groups = {}
    rows = _build_rows(
        [entry for entry, _ in grouped.values()],
        console_request,
        user,
        favorite_ids,
        groups,
    )
    return EntryList(rows, latest.count())


def _group_useful_entries(
    entries: EntryQuerySet, favorite_ids: Sequence[int], *, user: User
) -> dict[int, tuple[Entry, str]]:
    """Return entries with their groups by id, each entry in its first group only.

    The groups are the user's favourites, what they copied last, and what all agents
    copied most in a week; ENTRIES_PER_GROUP each.
    """
    ids_by_group = {
        GROUP_FAVORITES: favorite_ids[: usage.MAX_COPIED_ENTRIES],
        GROUP_RECENT: usage.list_recently_copied_ids(user),
        GROUP_WEEKLY: usage.list_often_copied_ids(timezone.now() - timedelta(days=7)),
    }
    readable = entries.in_bulk({pk for ids in ids_by_group.values() for pk in ids})
    grouped: dict[int, tuple[Entry, str]] = {}
    for group, ids in ids_by_group.items():
        new_ids = [pk for pk in ids if pk in readable and pk not in grouped]
        grouped |= {pk: (readable[pk], group) for pk in new_ids[:ENTRIES_PER_GROUP]}
    return grouped


def _get_start_of_yesterday() -> datetime:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1)


# Texts to send -------------------------------------------------------------------


def _build_rows(
    entries: Iterable[Entry],
    console_request: ConsoleRequest,
    user: User,
    favorite_ids: Collection[int],
    groups: Mapping[int, str] | None = None,
    *,
    first_number: int = 1,
) -> list[EntryRow]:
    entries = list(entries)
    prefetch_related_objects(entries, prefetch_readable_replies(user))
    return [
        EntryRow(
            entry,
            _list_variants(entry, console_request),
            (groups or {}).get(entry.pk, ""),
            entry.pk in favorite_ids,
            number,
        )
        for number, entry in enumerate(entries, first_number)
    ]


def _list_variants(entry: Entry, console_request: ConsoleRequest) -> list[Reply]:
    """Return the replies for the channel, those for the customer segment first.

    Where no shared reply fits, the public answer is added as plain text.
    """
    channel = console_request.channel
    fitting = [
        reply
        for reply in entry.replies.all()
        if not channel or reply.channel in ("", channel)
    ]
    variants = replies.sort_replies_by_fit(
        fitting, channel=channel, segment=console_request.segment_id
    )
    if entry.answer and not any(reply.is_shared for reply in variants):
        text = chat_text.format_answer_for_chat(
            entry.answer_html, console_request.site_url
        )
        variants.append(Reply(label=ANSWER_LABEL, body=text, text=text))
    return variants
