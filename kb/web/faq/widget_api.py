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

from kb import search, usage
from kb.models import Entry, Vote
from kb.publishing import announcements, locale_prefix, sites, translations
from kb.questions import inquiries
from kb.system.throttling import throttle_request
from kb.text import colour
from kb.text.chinese import normalize
from kb.text.markup import html_tree
from kb.text.markup.passage import find_best_passage
from kb.web.faq import ask_form, query_params, widget_start
from kb.web.faq.cross_origin import allow_other_origins, can_origin_write
from kb.web.faq.view_decorators import identify_visitor
from kb.web.faq.votes import is_valid_vote_token, make_vote_token

View = Callable[..., HttpResponse]
MAX_LISTED_ENTRIES = 8  # entries of a list
ASK_RATE_SCOPES = ("ask", "ask_day")


def widget_endpoint(scope: str) -> Callable[[View], View]:
    """Answer other origins in JSON, in the script that is asked for, as a stranger."""

    def decorate_view(view: View) -> View:
        @allow_other_origins
        def wrapped_view(
            request: HttpRequest, *args: Any, **kwargs: Any
        ) -> HttpResponse:
            request.user = sites.get_anonymous_reader(request)
            if seconds := throttle_request(scope, request):
                told = _("请等 %(n)d 秒再试。") % {"n": seconds}
                return make_refusal(429, told, seconds)
            try:
                response = view(request, *args, **kwargs)
            except Http404:
                response = make_refusal(404, _("这一条已经下线了。"))
            patch_cache_control(response, no_cache=True)
            return response

        @wraps(view)
        def answer_in_language(
            request: HttpRequest, *args: Any, **kwargs: Any
        ) -> HttpResponse:
            with translation.override(read_language(request)):
                return wrapped_view(request, *args, **kwargs)

        return csrf_exempt(gzip_page(answer_in_language))

    return decorate_view


def make_json_response(answer: dict[str, Any], status: int = 200) -> HttpResponse:
    """Return `answer` as JSON, Chinese as it is written: a third of the bytes."""
    plain = {"ensure_ascii": False}
    return JsonResponse(answer, status=status, json_dumps_params=plain)


def read_language(request: HttpRequest) -> str:
    wanted = request.GET.get("lang", "") or request.POST.get("lang", "")
    return (
        code
        if (code := wanted.lower()) in locale_prefix.LANGUAGE_TAGS
        else locale_prefix.LOCALE_SIMPLIFIED
    )


def make_refusal(status: int, said: str, seconds: int = 0) -> HttpResponse:
    response = make_json_response({"detail": said}, status=status)
    if seconds:
        response.headers["Retry-After"] = str(seconds)
    return response


@require_safe
@widget_endpoint("read")
def start_widget(request: HttpRequest) -> HttpResponse:
    """What a widget shows at first: by its attributes, else by the page it is on."""
    site = sites.get_request_site(request)
    title, entries = widget_start.find_start_entries(request, MAX_LISTED_ENTRIES)
    answer: dict[str, Any] = {
        "name": locale_prefix.convert_for_page(str(site)),
        "title": title,
    }
    answer["entries"] = _serialize_entries(entries)
    answer["asks"] = can_origin_write(request)
    answer["notices"] = _serialize_notices(request)
    if site.accent:
        answer["colours"] = colour.build_accent_tokens(site.accent)
    return make_json_response(answer)


@require_safe
@widget_endpoint("search")
def search_entries(request: HttpRequest) -> HttpResponse:
    """Entries for words; where none is sure, those near, apart."""
    words = query_params.read_query_words(request)
    results = search.search_entries(words, user=request.user, limit=MAX_LISTED_ENTRIES)
    if words and request.GET.get("done") and not results.is_degraded:
        usage.record_search(
            words,
            user=request.user,
            results=results.total,
            person=identify_visitor(request),
        )
    hits = [hit.entry for hit in results.hits]
    near = [hit.entry for hit in results.near_hits]
    return make_json_response(
        {
            "q": words,
            "entries": _serialize_entries(hits, results.terms_to_highlight),
            "near": _serialize_entries(near),
            "meant": results.did_you_mean,
            "notices": _serialize_notices(request, words=words),
        }
    )


@require_safe
@widget_endpoint("read")
def show_widget_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """An answer as a tree, and what a vote on it must bring."""
    found = Entry.objects.published_to(request.user).filter(pk=pk).first()
    if found is None or not found.answer_html:
        raise Http404
    if words := query_params.read_query_words(request):
        usage.record_opened_entry(
            words, entry_id=pk, user=request.user, person=identify_visitor(request)
        )
    translations.apply_translations([found])
    return make_json_response(
        {
            "id": found.pk,
            "question": found.question,
            "body": html_tree.parse_html_tree(found.answer_html),
            "url": found.get_absolute_url(),
            "updated": found.updated_at.date().isoformat(),
            "token": make_vote_token(found),
            "reasons": [(v, str(n)) for v, n in Vote.Reason.choices],
            "notices": _serialize_notices(request, entry=found),
            "related": _serialize_entries(
                search.find_related_entries(found, user=request.user, limit=3)
            ),
        }
    )


@require_POST
@widget_endpoint("vote")
def vote_on_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether an entry helped, as on its page."""
    found = Entry.objects.published_to(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    said = request.POST.get("helpful", "")
    good = is_valid_vote_token(found, request.POST.get("token", ""))
    if not good or said not in {"yes", "no"}:
        return make_refusal(400, _("没有记下，请重新打开这一条再点一次。"))
    reason, note = request.POST.get("reason", ""), request.POST.get("note", "")
    usage.record_vote(
        found,
        helpful=said == "yes",
        words=normalize.clean_single_line(request.POST.get("q", "")[:2000])[
            : query_params.MAX_QUERY_CHARS
        ],
        person=identify_visitor(request),
        side=usage.get_search_side(request.user),
        reason=usage.VoteReason(
            reason if reason in Vote.Reason.values else "",
            normalize.clean_single_line(note[:2000])[: query_params.MAX_QUERY_CHARS],
        ),
    )
    return make_json_response({"done": True})


@require_http_methods(["GET", "HEAD", "POST"])
@widget_endpoint("ask_page")
def ask_question(request: HttpRequest) -> HttpResponse:
    """A form, and what was written into it."""
    if ask_form.is_form_too_large(request):
        return make_refusal(413, _("图片加起来太大了，请减少几张或缩小后再传。"))
    if request.method != "POST":
        offered = ask_form.list_offered_modules()
        names = [
            [module.pk, locale_prefix.convert_for_page(module.name)]
            for module in offered
        ]
        return make_json_response(
            {"stamp": ask_form.make_form_stamp(), "modules": names}
        )
    form = ask_form.AskForm(request.POST)
    if not form.is_valid():
        return _reject_ask_form(
            {k: [str(e) for e in v] for k, v in form.errors.items()}
        )
    for limit in ASK_RATE_SCOPES:
        if seconds := throttle_request(limit, request):
            return make_refusal(429, _("您刚刚问过几次了，请过一会儿再提交。"), seconds)
    try:
        made = inquiries.submit_inquiry(
            form.cleaned_data["text"],
            details=ask_form.make_inquiry_details(form, request),
            uploads=ask_form.list_uploaded_pictures(request),
        )
    except ValidationError as error:
        return _reject_ask_form(error.message_dict)
    return make_json_response(
        {"url": reverse("faq:inquiry", args=[made.token])}, status=201
    )


def _reject_ask_form(errors: dict[str, list[str]]) -> HttpResponse:
    """Say what is wrong, with a stamp that is good for the next try."""
    said = [message for messages in errors.values() for message in messages]
    answer = {"detail": " ".join(said), "fields": sorted(errors)}
    return make_json_response(
        answer | {"stamp": ask_form.make_form_stamp()}, status=400
    )


def _serialize_notices(request: HttpRequest, **about: Any) -> list[dict[str, Any]]:
    """Return what runs now: everything at first, later what is `about` it."""
    running = announcements.list_running_announcements(request.user, **about)
    translations.apply_translations(
        [notice.entry for notice in running if notice.entry]
    )
    return [
        {
            "title": locale_prefix.convert_for_page(notice.announcement.title),
            "body": html_tree.parse_html_tree(
                announcements.render_announcement(notice.announcement)
            ),
            "entry": notice.entry and _serialize_entry_link(notice.entry),
        }
        for notice in running
    ]


def _serialize_entry_link(entry: Entry) -> dict[str, str]:
    return {"question": entry.question, "url": entry.get_absolute_url()}


def _serialize_entries(
    entries: Iterable[Entry], terms: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Return entries as a list shows them, in the script of the page."""
    shown, terms = [e for e in entries if e.answer_html], tuple(terms)
    translations.apply_translations(shown)
    return [
        {
            "id": e.pk,
            "question": e.question,
            "excerpt": find_best_passage(e.answer_text, terms).text
            if terms
            else e.excerpt,
        }
        for e in shown
    ]
