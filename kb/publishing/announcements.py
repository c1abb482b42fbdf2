"""Notices that run now, for this reader and these words; the clock ends them."""

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

REACH_PERIOD = timedelta(days=7)
MAX_REACH_PHRASES_CHECKED = 2000  # the most frequent of a week's searches
MAX_REACH_PHRASES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class RunningAnnouncement:
    """A running incident, with its entry where the reader may read that."""

    announcement: Announcement
    entry: Entry | None


def list_running_announcements(
    user: Reader, *, words: str = "", entry: Entry | None = None
) -> list[RunningAnnouncement]:
    """Return what `user` is told now, the latest first.

    After a search, what one of its keywords stands for; at an entry, what is
    linked with it, too; at home, neither given, all of it.
    """
    shown = Announcement.objects.visible_to(user)
    found = list(shown.in_state(AnnouncementState.RUNNING, at=timezone.now()))
    if words or entry:
        found = _select_relevant(found, words, entry)
    linked = {one.entry_id for one in found} - {None}
    readable = Entry.objects.published_to(user).in_bulk(linked) if linked else {}
    return [RunningAnnouncement(one, readable.get(one.entry_id or 0)) for one in found]


def filter_matching_announcements(
    notices: Sequence[RunningAnnouncement], words: str
) -> list[RunningAnnouncement]:
    """Return those of `notices` that a search for `words` shows; without words, all."""
    if not words:
        return list(notices)
    wanted = _select_relevant([one.announcement for one in notices], words, None)
    ids = {incident.pk for incident in wanted}
    return [one for one in notices if one.announcement.pk in ids]


def _select_relevant(
    rows: Sequence[Announcement], words: str, entry: Entry | None
) -> list[Announcement]:
    said = KeywordMatcher(f"{words}\n{entry or ''}") if rows else None
    return [one for one in rows if said and _is_relevant(one, said, entry)]


def render_announcement(incident: Announcement) -> str:
    """Return what `incident` says, in the script of the page."""
    if not locale_prefix.is_traditional_page():
        return incident.body_html
    return markdown.render_markdown(incident.body, locale_prefix.convert_to_traditional)


@dataclass(frozen=True, slots=True)
class AnnouncementReach:
    """Which of last week's searches would have shown a notice."""

    matched_searches: int  # searches
    total_searches: int  # searches that were looked at
    # The most frequent of them and how often; pages mask personal data in them.
    phrases: Sequence[tuple[str, int]]


def estimate_reach(keywords: Sequence[str], *, audience: str) -> AnnouncementReach:
    """Return which searches of the last seven days speak of one of `keywords`.

    Only the most frequent phrases are looked at. What the notice's readers never
    search for does not count: one for colleagues is not shown to customers.
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


def end_announcement(incident: Announcement) -> bool:
    """Let `incident` be over now; False when it does not run."""
    now = timezone.now()
    running = Announcement.objects.in_state(AnnouncementState.RUNNING, at=now)
    # Not at its very start: it must end later than it began.
    ended = running.filter(pk=incident.pk, starts_at__lt=now).update(ends_at=now)
    if ended:
        edition.increment_edition(Announcement)  # update() sends no signal
    return bool(ended)


def _is_relevant(
    incident: Announcement, said: KeywordMatcher, entry: Entry | None
) -> bool:
    linked = entry is not None and incident.entry_id == entry.pk
    return linked or any(map(said.has_keyword, incident.list_keywords()))
