"""这条有帮助吗: a vote without an account, a cookie or a script."""

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
from kb.models import Entry, Vote
from kb.text.chinese import normalize
from kb.web.faq.query_params import MAX_QUERY_CHARS
from kb.web.faq.view_decorators import identify_visitor, rate_limited

VOTE_TOKEN_LIFETIME_DAYS = 2  # for which the form of a page that stays open is good
_vote_signer = Signer(salt="kb.web.faq.votes")


@csrf_exempt  # a token in a cookie is what anonymous pages do not set
@require_POST
@never_cache
@rate_limited("vote")
def submit_vote(request: HttpRequest, pk: int) -> HttpResponse:
    """Count one vote for an entry that this reader may read."""
    entry = Entry.objects.published_to(request.user).filter(pk=pk).first()
    if entry is None:
        raise Http404
    said = request.POST.get("helpful")
    ours = is_same_origin(request) and is_valid_vote_token(
        entry, request.POST.get("token", "")
    )
    words = normalize.clean_single_line(
        request.POST.get("q", "")[: MAX_QUERY_CHARS * 10]
    )[:MAX_QUERY_CHARS]
    why = _read_vote_reason(request)
    context = {"entry": entry, "helpful": said == "yes", "asked": words}
    context |= {
        "token": make_vote_token(entry),
        "reasons": Vote.Reason.choices,
        "why": why,
    }
    if not ours or said not in {"yes", "no"}:
        return _render_vote_result(request, context | {"stale": True}, status=400)
    usage.record_vote(
        entry,
        helpful=said == "yes",
        words=words,
        person=identify_visitor(request),
        side=usage.get_search_side(request.user),
        reason=why,
    )
    return _render_vote_result(request, context)


def _render_vote_result(
    request: HttpRequest, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Return a page, or what our script puts in the place of the form."""
    part = "part" in request.POST
    name = "faq/vote/_thanks.html" if part else "faq/vote/page.html"
    return render(request, name, context, status=status)


def _read_vote_reason(request: HttpRequest) -> usage.VoteReason:
    note = normalize.clean_single_line(
        request.POST.get("note", "")[: MAX_QUERY_CHARS * 10]
    )[:MAX_QUERY_CHARS]
    reason = request.POST.get("reason", "")
    return usage.VoteReason(reason if reason in Vote.Reason.values else "", note)


def make_vote_token(entry: Entry) -> str:
    """Return what the form of `entry` must send.

    It tells the day and not the second, so that a page stays the same, and its
    ETag good, until somebody changes it.
    """
    return _vote_signer.sign(f"{entry.pk}-{_get_day_number()}").partition("-")[2]


def is_valid_vote_token(entry: Entry, sent: str) -> bool:
    try:
        day = _vote_signer.unsign(f"{entry.pk}-{sent}").partition("-")[2]
    except BadSignature:
        return False
    return _get_day_number() - int(day) < VOTE_TOKEN_LIFETIME_DAYS


def _get_day_number() -> int:
    return timezone.now().toordinal()


def is_same_origin(request: HttpRequest) -> bool:
    """Tell whether a page of ours sent this, as browsers say; old ones do not."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
