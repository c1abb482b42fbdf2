"""The running announcements as a fragment, which open pages fetch again and again."""

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
    """Return all running announcements as HTML; those that match ?q= are marked.

    304 if the page already has them; 403 without a login, because a redirect to the
    login page would be of no use to a script.
    """
    user = get_agent(request)
    words = SingleLineField(required=False).clean(request.GET.get("q", ""))
    running = announcements.list_running_announcements(user)
    matching_ids = {
        notice.announcement.pk
        for notice in announcements.filter_matching_announcements(running, words)
    }
    rows = [(notice, notice.announcement.pk in matching_ids) for notice in running]
    etag = _compute_etag(rows)
    if not_modified := get_conditional_response(request, etag=etag):
        return not_modified
    response: HttpResponse = render(
        request, "console/notices/_live.html", {"notices": rows}
    )
    response.headers["ETag"] = etag
    return response


def _compute_etag(rows: list[tuple[RunningAnnouncement, bool]]) -> str:
    """Return a value that changes with anything that the fragment shows."""
    digest = hashlib.sha256()
    for notice, matches in rows:
        row = notice.announcement
        columns = (row.pk, row.title, row.body_html, row.audience, row.ends_at)
        digest.update(repr((columns, str(notice.entry or ""), matches)).encode())
    return quote_etag(digest.hexdigest()[:32])
