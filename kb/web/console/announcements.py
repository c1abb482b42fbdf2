"""Running notices, asked for again and again by open pages."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb.publishing import announcements
from kb.publishing.announcements import RunningAnnouncement
from kb.web.console.forms import SingleLineField
from kb.web.console.views import get_agent


@never_cache
@require_safe
def show_announcements(request: HttpRequest) -> HttpResponseBase:
    """Return all running notices as a piece of HTML; ?q= says which ones match.

    Answers 304 to whoever has that already. Whoever is signed out gets 403, not the
    login page: nobody asked for it.
    """
    user = get_agent(request)
    words = SingleLineField(required=False).clean(request.GET.get("q", ""))
    running = announcements.list_running_announcements(user)
    matching = {
        one.announcement.pk
        for one in announcements.filter_matching_announcements(running, words)
    }
    rows = [(notice, notice.announcement.pk in matching) for notice in running]
    etag = _compute_etag(rows)
    if unchanged := get_conditional_response(request, etag=etag):
        return unchanged
    response: HttpResponse = render(
        request, "console/notices/_live.html", {"notices": rows}
    )
    response.headers["ETag"] = etag
    return response


def _compute_etag(rows: list[tuple[RunningAnnouncement, bool]]) -> str:
    """Return a value that changes with anything that the page shows."""
    digest = hashlib.sha256()
    for notice, matches in rows:
        row = notice.announcement
        shown = (row.pk, row.title, row.body_html, row.audience, row.ends_at)
        digest.update(repr((shown, str(notice.entry or ""), matches)).encode())
    return quote_etag(digest.hexdigest()[:32])
