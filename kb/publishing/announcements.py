"""Announcements (公告) that run now, for a reader and the words of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Max
from django.utils import timezone

from kb.models import Announcement, Entry, Reader, Search, SearchSide
from kb.models.announcement import AnnouncementState
from kb.publishing import edition, locale_prefix
from kb.text.chinese.keyword_matching import KeywordMatcher
from kb.text.markup import markdown

REACH_PERIOD = timedelta(days=7)  # age of the searches of which the reach is estimated
MAX_REACH_PHRASES_CHECKED = 2000  # the most frequent ones
MAX_REACH_PHRASES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class RunningAnnouncement:
    """A running announcement, and its entry if the reader may read it."""

    announcement: Announcement
    entry: Entry | None


def list_running_announcements(
    user: Reader, *, words: str = "", entry: Entry | None = None
) -> list[RunningAnnouncement]:
    """Return the running announcements for `user`, the latest first.

    With `words`, those with a keyword that occurs in them. With `entry`, those that
    are linked to it or have a keyword in its question. With neither, all of them.
    """
    visible = Announcement.objects.visible_to(user)
    running = list(visible.in_state(AnnouncementState.RUNNING, at=timezone.now()))
    if words or entry:
        running = _select_relevant(running, words, entry)
    entry_ids = {announcement.entry_id for announcement in running} - {None}
    entries = Entry.objects.published_to(user).in_bulk(entry_ids) if entry_ids else {}
    return [
        RunningAnnouncement(announcement, entries.get(announcement.entry_id or 0))
        for announcement in running
    ]


def filter_matching_announcements(
    running: Sequence[RunningAnnouncement], words: str
) -> list[RunningAnnouncement]:
    """Return those with a keyword that occurs in `words`; all of them for ""."""
    if not words:
        return list(running)
    relevant = _select_relevant([row.announcement for row in running], words, None)
    ids = {announcement.pk for announcement in relevant}
    return [row for row in running if row.announcement.pk in ids]


def _select_relevant(
    rows: Sequence[Announcement], words: str, entry: Entry | None
) -> list[Announcement]:
    if not rows:
        return []
    matcher = KeywordMatcher(f"{words}\n{entry or ''}")
    return [row for row in rows if _is_relevant(row, matcher, entry)]


def render_announcement(announcement: Announcement) -> str:
    """Return the text of `announcement` as HTML, in the script of the page."""
    if not locale_prefix.is_traditional_page():
        return announcement.body_html
    return markdown.render_markdown(
        announcement.body, locale_prefix.convert_to_traditional
    )


@dataclass(frozen=True, slots=True)
class AnnouncementReach:
    """How many of the searches of REACH_PERIOD an announcement would have matched."""

    matched_searches: int
    total_searches: int  # that were examined
    # The most frequent matches and their counts. They may hold personal data, which
    # the page masks.
    phrases: Sequence[tuple[str, int]]


def estimate_reach(keywords: Sequence[str], *, audience: str) -> AnnouncementReach:
    """Return how many searches of REACH_PERIOD contain one of `keywords`.

    Only the most frequent phrases are examined. For an announcement for staff only
    the searches of staff count.
    """
    since = timezone.now() - REACH_PERIOD
    searches = Search.objects.filter(created_at__gte=since)
    if audience == Announcement.Audience.STAFF:
        searches = searches.filter(side=SearchSide.STAFF)
    phrases = list(
        searches.order_by()
        .values_list("words_key")
        .annotate(count=Count("pk"), typed=Max("words"))
        .order_by("-count", "words_key")[:MAX_REACH_PHRASES_CHECKED]
    )
    matched = [
        (typed, count)
        for _, count, typed in phrases
        if any(map(KeywordMatcher(typed).has_keyword, keywords))
    ]
    return AnnouncementReach(
        sum(count for _, count in matched),
        sum(count for _, count, _ in phrases),
        matched[:MAX_REACH_PHRASES_SHOWN],
    )


def end_announcement(announcement: Announcement) -> bool:
    """End a running announcement now; return False if it is not running."""
    now = timezone.now()
    running = Announcement.objects.in_state(AnnouncementState.RUNNING, at=now)
    # The end must be later than the start.
    ended = running.filter(pk=announcement.pk, starts_at__lt=now).update(ends_at=now)
    if ended:
        edition.increment_edition(Announcement)  # update() sends no signal
    return bool(ended)


def _is_relevant(
    announcement: Announcement, matcher: KeywordMatcher, entry: Entry | None
) -> bool:
    is_linked = entry is not None and announcement.entry_id == entry.pk
    return is_linked or any(map(matcher.has_keyword, announcement.list_keywords()))
