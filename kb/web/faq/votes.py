"""这条有帮助吗: vote on an entry, without an account, a cookie or a script."""

from __future__ import annotations

from typing import Any

from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from kb import usage
from kb.library.entries import entry_lookup
from kb.models import Entry, Vote
from kb.web.faq.query_params import clean_query_text
from kb.web.faq.view_decorators import identify_visitor, rate_limited

VOTE_TOKEN_LIFETIME_DAYS = 2  # for a page that stays open
_vote_signer = Signer(salt="kb.web.faq.votes")


@csrf_exempt  # anonymous pages set no cookie; the form has a signed token instead
@require_POST
@never_cache
@rate_limited("vote")
def submit_vote(request: HttpRequest, pk: int) -> HttpResponse:
    """Record one vote for an entry that this reader may read."""
    entry = entry_lookup.find_published_entry(pk, user=request.user)
    if entry is None:
        raise Http404
    reason = read_vote_reason(request)
    context = {
        "entry": entry,
        "helpful": request.POST.get("helpful") == "yes",
        "query": clean_query_text(request.POST.get("q", "")),
        "token": make_vote_token(entry),
        "reasons": Vote.Reason.choices,
        "reason": reason,
    }
    if not (is_same_origin(request) and is_valid_vote(request, entry)):
        return _render_vote_result(request, context | {"is_expired": True}, status=400)
    record_vote(request, entry, reason)
    return _render_vote_result(request, context)


def is_valid_vote(request: HttpRequest, entry: Entry) -> bool:
    """Return whether the post says yes or no and has a token for `entry`."""
    token = request.POST.get("token", "")
    return request.POST.get("helpful") in {"yes", "no"} and is_valid_vote_token(
        entry, token
    )


def record_vote(request: HttpRequest, entry: Entry, reason: usage.VoteReason) -> None:
    """Record the vote in a valid post."""
    usage.record_vote(
        entry,
        helpful=request.POST.get("helpful") == "yes",
        words=clean_query_text(request.POST.get("q", "")),
        person=identify_visitor(request),
        side=usage.get_search_side(request.user),
        reason=reason,
    )


def _render_vote_result(
    request: HttpRequest, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Return a page, or the fragment with which the script replaces the form."""
    is_fragment = "part" in request.POST
    template = "faq/vote/_thanks.html" if is_fragment else "faq/vote/page.html"
    return render(request, template, context, status=status)


def read_vote_reason(request: HttpRequest) -> usage.VoteReason:
    """Return the posted reason, where it is one of the choices, and the note."""
    reason = request.POST.get("reason", "")
    note = clean_query_text(request.POST.get("note", ""))
    return usage.VoteReason(reason if reason in Vote.Reason.values else "", note)


def make_vote_token(entry: Entry) -> str:
    """Return the signed token that the vote form of `entry` must send.

    It has the day in it and not the time, so that a page and its ETag change once
    a day at most.
    """
    return _vote_signer.sign(f"{entry.pk}-{_get_day_number()}").partition("-")[2]


def is_valid_vote_token(entry: Entry, token: str) -> bool:
    try:
        day = _vote_signer.unsign(f"{entry.pk}-{token}").partition("-")[2]
    except BadSignature:
        return False
    return _get_day_number() - int(day) < VOTE_TOKEN_LIFETIME_DAYS


def _get_day_number() -> int:
    return timezone.now().toordinal()


def is_same_origin(request: HttpRequest) -> bool:
    """Return whether the browser says that a page of this site sent the request.

    Browsers without Sec-Fetch-Site count as same-origin; the token protects there.
    """
    return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
