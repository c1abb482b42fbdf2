"""The widget's door: what a page elsewhere may search, read, judge and ask.

Whoever calls is a stranger here, whatever cookies come along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from kb import colour, faces, feedback, incidents, inquiries, scripts, search, sites
from kb.faq import asking, forms, placing
from kb.faq.guard import person
from kb.faq.origins import may_write, shared
from kb.faq.votes import is_good, token
from kb.models import Entry, Vote
from kb.text import normalize, tree
from kb.text.passage import best
from kb.throttling import seconds_to_wait

View = Callable[..., HttpResponse]
MOST = 8  # entries of a list
LIMITS = ("ask", "ask_day")


def door(scope: str) -> Callable[[View], View]:
    """Answer other origins in JSON, in the script that is asked for, as a stranger."""

    def decorate(view: View) -> View:
        @shared
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            request.user = sites.stranger(request)
            if seconds := seconds_to_wait(scope, request):
                told = _("请等 %(n)d 秒再试。") % {"n": seconds}
                return refused(429, told, seconds)
            try:
                response = view(request, *args, **kwargs)
            except Http404:
                response = refused(404, _("这一条已经下线了。"))
            patch_cache_control(response, no_cache=True)
            return response

        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            with translation.override(language(request)):
                return guarded(request, *args, **kwargs)

        return csrf_exempt(gzip_page(answer))

    return decorate


def told(answer: dict[str, Any], status: int = 200) -> HttpResponse:
    """Return `answer` as JSON, Chinese as it is written: a third of the bytes."""
    plain = {"ensure_ascii": False}
    return JsonResponse(answer, status=status, json_dumps_params=plain)


def language(request: HttpRequest) -> str:
    wanted = request.GET.get("lang", "") or request.POST.get("lang", "")
    return code if (code := wanted.lower()) in scripts.TAGS else scripts.HANS


def refused(status: int, said: str, seconds: int = 0) -> HttpResponse:
    response = told({"detail": said}, status=status)
    if seconds:
        response.headers["Retry-After"] = str(seconds)
    return response


@require_safe
@door("read")
def start(request: HttpRequest) -> HttpResponse:
    """What a widget shows at first: by its attributes, else by the page it is on."""
    site = sites.of(request)
    title, entries = placing.first(request, MOST)
    answer: dict[str, Any] = {"name": scripts.say(str(site)), "title": title}
    answer["entries"] = _listed(entries)
    answer["asks"] = may_write(request)
    answer["notices"] = _notices(request)
    if site.accent:
        answer["colours"] = colour.tokens(site.accent)
    return told(answer)


@require_safe
@door("search")
def find(request: HttpRequest) -> HttpResponse:
    """Entries for words; where none is sure, those near, apart."""
    words = forms.words(request)
    results = search.search(words, user=request.user, limit=MOST)
    if words and request.GET.get("done") and not results.degraded:
        feedback.record(
            words, user=request.user, results=results.total, person=person(request)
        )
    hits = [hit.entry for hit in results.hits]
    near = [hit.entry for hit in results.near]
    return told(
        {
            "q": words,
            "entries": _listed(hits, results.terms),
            "near": _listed(near),
            "meant": results.meant,
            "notices": _notices(request, words=words),
        }
    )


@require_safe
@door("read")
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """An answer as a tree, and what a vote on it must bring."""
    found = Entry.objects.published_to(request.user).filter(pk=pk).first()
    if found is None or not found.answer_html:
        raise Http404
    if words := forms.words(request):
        feedback.led(words, entry_id=pk, user=request.user, person=person(request))
    faces.wear([found])
    return told(
        {
            "id": found.pk,
            "question": found.question,
            "body": tree.of(found.answer_html),
            "url": found.get_absolute_url(),
            "updated": found.updated_at.date().isoformat(),
            "token": token(found),
            "reasons": [(v, str(n)) for v, n in Vote.Reason.choices],
            "notices": _notices(request, entry=found),
            "related": _listed(search.related(found, user=request.user, limit=3)),
        }
    )


@require_POST
@door("vote")
def vote(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether an entry helped, as on its page."""
    found = Entry.objects.published_to(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    said = request.POST.get("helpful", "")
    good = is_good(found, request.POST.get("token", ""))
    if not good or said not in {"yes", "no"}:
        return refused(400, _("没有记下，请重新打开这一条再点一次。"))
    reason, note = request.POST.get("reason", ""), request.POST.get("note", "")
    feedback.vote(
        found,
        helpful=said == "yes",
        words=normalize.line(request.POST.get("q", "")[:2000])[: forms.LONGEST],
        person=person(request),
        side=feedback.side_of(request.user),
        why=feedback.Why(
            reason if reason in Vote.Reason.values else "",
            normalize.line(note[:2000])[: forms.LONGEST],
        ),
    )
    return told({"done": True})


@require_http_methods(["GET", "HEAD", "POST"])
@door("ask_page")
def ask(request: HttpRequest) -> HttpResponse:
    """A form, and what was written into it."""
    if asking.too_large(request):
        return refused(413, _("图片加起来太大了，请减少几张或缩小后再传。"))
    if request.method != "POST":
        offered = asking.offered()
        names = [[module.pk, scripts.say(module.name)] for module in offered]
        return told({"stamp": asking.stamp(), "modules": names})
    form = asking.AskForm(request.POST)
    if not form.is_valid():
        return _again({k: [str(e) for e in v] for k, v in form.errors.items()})
    for limit in LIMITS:
        if seconds := seconds_to_wait(limit, request):
            return refused(429, _("您刚刚问过几次了，请过一会儿再提交。"), seconds)
    try:
        made = inquiries.ask(
            form.cleaned_data["text"],
            asked=asking.asked(form, request),
            uploads=asking.uploads(request),
        )
    except ValidationError as error:
        return _again(error.message_dict)
    return told({"url": reverse("faq:inquiry", args=[made.token])}, status=201)


def _again(errors: dict[str, list[str]]) -> HttpResponse:
    """Say what is wrong, with a stamp that is good for the next try."""
    said = [message for messages in errors.values() for message in messages]
    answer = {"detail": " ".join(said), "fields": sorted(errors)}
    return told(answer | {"stamp": asking.stamp()}, status=400)


def _notices(request: HttpRequest, **about: Any) -> list[dict[str, Any]]:
    """Return what runs now: everything at first, later what is `about` it."""
    running = incidents.running(request.user, **about)
    faces.wear([notice.entry for notice in running if notice.entry])
    return [
        {
            "title": scripts.say(notice.incident.title),
            "body": tree.of(incidents.html(notice.incident)),
            "entry": notice.entry and _linked(notice.entry),
        }
        for notice in running
    ]


def _linked(entry: Entry) -> dict[str, str]:
    return {"question": entry.question, "url": entry.get_absolute_url()}


def _listed(
    entries: Iterable[Entry], terms: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Return entries as a list shows them, in the script of the page."""
    shown, terms = [e for e in entries if e.answer_html], tuple(terms)
    faces.wear(shown)
    return [
        {
            "id": e.pk,
            "question": e.question,
            "excerpt": best(e.answer_text, terms).text if terms else e.excerpt,
        }
        for e in shown
    ]
