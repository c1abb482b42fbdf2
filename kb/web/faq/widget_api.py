"""The JSON API of the widget: search, read, vote and ask from pages of other sites.

Every caller is an anonymous reader; cookies are ignored.
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
from kb.library import taxonomy
from kb.library.entries import entry_lookup
from kb.models import Entry, Vote
from kb.publishing import announcements, locale_prefix, sites, translations
from kb.questions import inquiries
from kb.system.throttling import throttle_request
from kb.text import colour
from kb.text.markup import html_tree
from kb.text.markup.passage import find_best_passage
from kb.web.faq import ask_form, query_params, votes, widget_start
from kb.web.faq.ask_page import ASK_RATE_SCOPES
from kb.web.faq.cross_origin import allow_other_origins, can_origin_write
from kb.web.faq.view_decorators import View, identify_visitor

MAX_LISTED_ENTRIES = 8
MAX_RELATED_ENTRIES = 3


def widget_endpoint(scope: str) -> Callable[[View], View]:
    """Return a decorator for a JSON view that other origins may call.

    The reader is anonymous, the language that of ?lang=, the rate limit `scope`.
    """

    def decorate_view(view: View) -> View:
        @allow_other_origins
        def wrapped_view(
            request: HttpRequest, *args: Any, **kwargs: Any
        ) -> HttpResponse:
            request.user = sites.get_anonymous_reader(request)
            if seconds := throttle_request(scope, request):
                message = _("请等 %(n)d 秒再试。") % {"n": seconds}
                return _make_refusal(429, message, seconds)
            try:
                response = view(request, *args, **kwargs)
            except Http404:
                response = _make_refusal(404, _("这一条已经下线了。"))
            patch_cache_control(response, no_cache=True)
            return response

        @wraps(view)
        def answer_in_language(
            request: HttpRequest, *args: Any, **kwargs: Any
        ) -> HttpResponse:
            with translation.override(_read_language(request)):
                return wrapped_view(request, *args, **kwargs)

        return csrf_exempt(gzip_page(answer_in_language))

    return decorate_view


def _make_json_response(data: dict[str, Any], status: int = 200) -> HttpResponse:
    """Return `data` as JSON without \\u escapes, which triple the size of Chinese."""
    return JsonResponse(data, status=status, json_dumps_params={"ensure_ascii": False})


def _read_language(request: HttpRequest) -> str:
    """Return the requested language code; 简体 for an unknown one."""
    language = request.GET.get("lang", "") or request.POST.get("lang", "")
    code = language.lower()
    if code in locale_prefix.LANGUAGE_TAGS:
        return code
    return locale_prefix.LOCALE_SIMPLIFIED


def _make_refusal(
    status: int, message: str, retry_after_seconds: int = 0
) -> HttpResponse:
    response = _make_json_response({"detail": message}, status=status)
    if retry_after_seconds:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response


@require_safe
@widget_endpoint("read")
def start_widget(request: HttpRequest) -> HttpResponse:
    """Return what a widget shows first, by its attributes or the page's path."""
    site = sites.get_request_site(request)
    title, entries = widget_start.find_start_entries(request, MAX_LISTED_ENTRIES)
    data: dict[str, Any] = {
        "name": locale_prefix.convert_for_page(str(site)),
        "title": title,
        "entries": _serialize_entries(entries),
        "asks": can_origin_write(request),
        "notices": _serialize_announcements(request),
    }
    if site.accent:
        data["colours"] = colour.build_accent_tokens(site.accent)
    return _make_json_response(data)


@require_safe
@widget_endpoint("search")
def search_entries(request: HttpRequest) -> HttpResponse:
    """Return the results of ?q=, and near ones where no result is sure.

    A search with ?done= is recorded; others are made while typing.
    """
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
    return _make_json_response(
        {
            "q": words,
            "entries": _serialize_entries(hits, results.terms_to_highlight),
            "near": _serialize_entries(near),
            "meant": results.did_you_mean,
            "notices": _serialize_announcements(request, words=words),
        }
    )


@require_safe
@widget_endpoint("read")
def show_widget_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Return an answer as a tree of elements, with a token to vote on it."""
    entry = entry_lookup.find_published_entry(pk, user=request.user)
    if entry is None or not entry.answer_html:
        raise Http404
    if words := query_params.read_query_words(request):
        usage.record_opened_entry(
            words, entry_id=pk, user=request.user, person=identify_visitor(request)
        )
    translations.apply_translations([entry])
    return _make_json_response(
        {
            "id": entry.pk,
            "question": entry.question,
            "body": html_tree.parse_html_tree(entry.answer_html),
            "url": entry.get_absolute_url(),
            "updated": entry.updated_at.date().isoformat(),
            "token": votes.make_vote_token(entry),
            "reasons": [(value, str(label)) for value, label in Vote.Reason.choices],
            "notices": _serialize_announcements(request, entry=entry),
            "related": _serialize_entries(
                search.find_related_entries(
                    entry, user=request.user, limit=MAX_RELATED_ENTRIES
                )
            ),
        }
    )


@require_POST
@widget_endpoint("vote")
def vote_on_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Record whether an entry helped, as its page does."""
    entry = entry_lookup.find_published_entry(pk, user=request.user)
    if entry is None:
        raise Http404
    if not votes.is_valid_vote(request, entry):
        return _make_refusal(400, _("没有记下，请重新打开这一条再点一次。"))
    votes.record_vote(request, entry, votes.read_vote_reason(request))
    return _make_json_response({"done": True})


@require_http_methods(["GET", "HEAD", "POST"])
@widget_endpoint("ask_page")
def ask_question(request: HttpRequest) -> HttpResponse:
    """Return what the form needs, or store the question that was posted."""
    if ask_form.is_form_too_large(request):
        return _make_refusal(413, _("图片加起来太大了，请减少几张或缩小后再传。"))
    if request.method != "POST":
        modules = [
            [module.pk, locale_prefix.convert_for_page(module.name)]
            for module in taxonomy.query_offered_modules()
        ]
        return _make_json_response(
            {"stamp": ask_form.make_form_stamp(), "modules": modules}
        )
    form = ask_form.AskForm(request.POST)
    if not form.is_valid():
        return _reject_ask_form(
            {name: list(map(str, errors)) for name, errors in form.errors.items()}
        )
    for scope in ASK_RATE_SCOPES:
        if seconds := throttle_request(scope, request):
            message = _("您刚刚问过几次了，请过一会儿再提交。")
            return _make_refusal(429, message, seconds)
    try:
        inquiry = inquiries.submit_inquiry(
            form.cleaned_data["text"],
            details=ask_form.make_inquiry_details(form, request),
            uploads=ask_form.list_uploaded_pictures(request),
        )
    except ValidationError as error:
        return _reject_ask_form(error.message_dict)
    return _make_json_response(
        {"url": reverse("faq:inquiry", args=[inquiry.token])}, status=201
    )


def _reject_ask_form(errors: dict[str, list[str]]) -> HttpResponse:
    """Return the errors by field, and a new stamp for the next attempt."""
    messages = [
        str(error) for field_errors in errors.values() for error in field_errors
    ]
    data = {
        "detail": " ".join(messages),
        "fields": sorted(errors),
        "stamp": ask_form.make_form_stamp(),
    }
    return _make_json_response(data, status=400)


def _serialize_announcements(
    request: HttpRequest, **relevant_to: Any
) -> list[dict[str, Any]]:
    """Return the running announcements; with `words` or `entry`, the relevant ones."""
    running = announcements.list_running_announcements(request.user, **relevant_to)
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
    """Return the entries that have an answer, in the language of the response.

    With `terms`, the excerpt is the passage of the answer that has most of them.
    """
    answered, terms = [entry for entry in entries if entry.answer_html], tuple(terms)
    translations.apply_translations(answered)
    return [
        {
            "id": entry.pk,
            "question": entry.question,
            "excerpt": find_best_passage(entry.answer_text, terms).text
            if terms
            else entry.excerpt,
        }
        for entry in answered
    ]
