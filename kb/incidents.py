"""Notices that run now, for this reader and these words; the clock ends them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Max
from django.utils import timezone

from kb import content, scripts
from kb.models import Entry, Incident, Reader, Search, Side
from kb.models.incident import State
from kb.text import markdown
from kb.text.mention import Said

REACH_PERIOD = timedelta(days=7)
MAX_PHRASES_CHECKED = 2000  # the most frequent of a week's searches
MAX_PHRASES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Notice:
    """A running incident, with its entry where the reader may read that."""

    incident: Incident
    entry: Entry | None


def running(
    user: Reader, *, words: str = "", entry: Entry | None = None
) -> list[Notice]:
    """Return what `user` is told now, the latest first.

    After a search, what one of its keywords stands for; at an entry, what is
    linked with it, too; at home, neither given, all of it.
    """
    shown = Incident.objects.visible_to(user)
    found = list(shown.in_state(State.RUNNING, at=timezone.now()))
    if words or entry:
        found = _concerning(found, words, entry)
    linked = {one.entry_id for one in found} - {None}
    readable = Entry.objects.published_to(user).in_bulk(linked) if linked else {}
    return [Notice(one, readable.get(one.entry_id or 0)) for one in found]


def matching(notices: Sequence[Notice], words: str) -> list[Notice]:
    """Return those of `notices` that a search for `words` shows; without words, all."""
    if not words:
        return list(notices)
    wanted = _concerning([one.incident for one in notices], words, None)
    ids = {incident.pk for incident in wanted}
    return [one for one in notices if one.incident.pk in ids]


def _concerning(
    rows: Sequence[Incident], words: str, entry: Entry | None
) -> list[Incident]:
    said = Said(f"{words}\n{entry or ''}") if rows else None
    return [one for one in rows if said and _concerns(one, said, entry)]


def html(incident: Incident) -> str:
    """Return what `incident` says, in the script of the page."""
    if not scripts.is_hant():
        return incident.body_html
    return markdown.render(incident.body, scripts.hant_of)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which of last week's searches would have shown a notice."""

    matched: int  # searches
    total: int  # searches that were looked at
    # The most frequent of them and how often; pages mask personal data in them.
    phrases: Sequence[tuple[str, int]]


def reach(keywords: Sequence[str], *, audience: str) -> Reach:
    """Return which searches of the last seven days speak of one of `keywords`.

    Only the most frequent phrases are looked at. What the notice's readers never
    search for does not count: one for colleagues is not shown to customers.
    """
    since = timezone.now() - REACH_PERIOD
    searches = Search.objects.filter(created_at__gte=since)
    if audience == Incident.Audience.STAFF:
        searches = searches.filter(side=Side.STAFF)
    phrases = list(
        searches.order_by()
        .values_list("words_key")
        .annotate(count=Count("pk"), typed=Max("words"))
        .order_by("-count", "words_key")[:MAX_PHRASES_CHECKED]
    )
    matched = [
        (typed, count)
        for _, count, typed in phrases
        if any(map(Said(typed).mentions, keywords))
    ]
    return Reach(
        sum(count for _, count in matched),
        sum(count for _, count, _ in phrases),
        matched[:MAX_PHRASES_SHOWN],
    )


def end(incident: Incident) -> bool:
    """Let `incident` be over now; False when it does not run."""
    now = timezone.now()
    running = Incident.objects.in_state(State.RUNNING, at=now)
    # Not at its very start: it must end later than it began.
    ended = running.filter(pk=incident.pk, starts_at__lt=now).update(ends_at=now)
    if ended:
        content.raise_edition(Incident)  # update() sends no signal
    return bool(ended)


def _concerns(incident: Incident, said: Said, entry: Entry | None) -> bool:
    linked = entry is not None and incident.entry_id == entry.pk
    return linked or any(map(said.mentions, incident.words()))
