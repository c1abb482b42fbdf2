"""Running notices, asked for again and again by open pages."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb import incidents
from kb.console.forms import Words
from kb.console.views import agent_of
from kb.incidents import Notice


@never_cache
@require_safe
def notices(request: HttpRequest) -> HttpResponseBase:
    """Return all running notices as a piece of HTML; ?q= says which ones match.

    Answers 304 to whoever has that already. Whoever is signed out gets 403, not the
    login page: nobody asked for it.
    """
    user = agent_of(request)
    words = Words(required=False).clean(request.GET.get("q", ""))
    running = incidents.running(user)
    matching = {one.incident.pk for one in incidents.matching(running, words)}
    rows = [(notice, notice.incident.pk in matching) for notice in running]
    etag = _etag(rows)
    if unchanged := get_conditional_response(request, etag=etag):
        return unchanged
    response: HttpResponse = render(
        request, "console/notices/_live.html", {"notices": rows}
    )
    response.headers["ETag"] = etag
    return response


def _etag(rows: list[tuple[Notice, bool]]) -> str:
    """Return a value that changes with anything that the page shows."""
    digest = hashlib.sha256()
    for notice, matches in rows:
        row = notice.incident
        shown = (row.pk, row.title, row.body_html, row.audience, row.ends_at)
        digest.update(repr((shown, str(notice.entry or ""), matches)).encode())
    return quote_etag(digest.hexdigest()[:32])
