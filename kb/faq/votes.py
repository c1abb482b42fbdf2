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

from kb import feedback
from kb.faq.forms import LONGEST
from kb.faq.guard import person, throttled
from kb.models import Entry, Vote
from kb.text import normalize

DAYS = 2  # for which the form of a page that stays open is good
_signer = Signer(salt="kb.faq.votes")


@csrf_exempt  # a token in a cookie is what anonymous pages do not set
@require_POST
@never_cache
@throttled("vote")
def vote(request: HttpRequest, pk: int) -> HttpResponse:
    """Count one vote for an entry that this reader may read."""
    entry = Entry.objects.published_to(request.user).filter(pk=pk).first()
    if entry is None:
        raise Http404
    said = request.POST.get("helpful")
    ours = is_from_here(request) and is_good(entry, request.POST.get("token", ""))
    words = normalize.line(request.POST.get("q", "")[: LONGEST * 10])[:LONGEST]
    why = _why(request)
    context = {"entry": entry, "helpful": said == "yes", "asked": words}
    context |= {"token": token(entry), "reasons": Vote.Reason.choices, "why": why}
    if not ours or said not in {"yes", "no"}:
        return _answer(request, context | {"stale": True}, status=400)
    feedback.vote(
        entry,
        helpful=said == "yes",
        words=words,
        person=person(request),
        side=feedback.side_of(request.user),
        why=why,
    )
    return _answer(request, context)


def _answer(
    request: HttpRequest, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Return a page, or what our script puts in the place of the form."""
    part = "part" in request.POST
    name = "faq/vote/_thanks.html" if part else "faq/vote/page.html"
    return render(request, name, context, status=status)


def _why(request: HttpRequest) -> feedback.Why:
    note = normalize.line(request.POST.get("note", "")[: LONGEST * 10])[:LONGEST]
    reason = request.POST.get("reason", "")
    return feedback.Why(reason if reason in Vote.Reason.values else "", note)


def token(entry: Entry) -> str:
    """Return what the form of `entry` must send.

    It tells the day and not the second, so that a page stays the same, and its
    ETag good, until somebody changes it.
    """
    return _signer.sign(f"{entry.pk}-{_today()}").partition("-")[2]


def is_good(entry: Entry, sent: str) -> bool:
    try:
        day = _signer.unsign(f"{entry.pk}-{sent}").partition("-")[2]
    except BadSignature:
        return False
    return _today() - int(day) < DAYS


def _today() -> int:
    return timezone.now().toordinal()


def is_from_here(request: HttpRequest) -> bool:
    """Tell whether a page of ours sent this, as browsers say; old ones do not."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
