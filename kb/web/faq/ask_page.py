"""Ask: what is typed is searched first; a question is taken where no answer helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods

from kb import search
from kb.models import Entry, Reader
from kb.models.inquiry import MAX_INQUIRY_PICTURES
from kb.publishing import translations
from kb.questions import inquiries
from kb.system.throttling import throttle_request
from kb.web.faq import ask_form, query_params
from kb.web.faq.view_decorators import public_view, rate_limited
from kb.web.faq.votes import is_same_origin

MAX_OFFERED_ANSWERS = 4  # answers
ASK_RATE_SCOPES = ("ask", "ask_day")  # rates of what is taken in


@csrf_exempt  # anonymous pages set no cookie; the form brings a stamp of ours
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@gzip_page
@rate_limited("ask_page")  # who has searched a lot may still ask
def show_ask_page(request: HttpRequest) -> HttpResponse:
    """First what is asked, then answers and the whole form, then thanks."""
    if ask_form.is_form_too_large(request):
        said = {"pictures": [_("图片加起来太大了，请减少几张或缩小后再传。")]}
        return _render_ask_form(
            request, {"stamp": ask_form.make_form_stamp()}, said, status=413
        )
    if request.method != "POST":
        words = query_params.read_query_words(request)
        sent = {"text": words, "words": words, "stamp": ask_form.make_form_stamp()}
        return _render_ask_form(request, sent, {}, first=not words)
    form = ask_form.AskForm(request.POST)
    form.is_valid()
    if "send" not in request.POST:
        return _show_answers_and_form(request, form)
    return _submit_question(request, form)


@public_view
@rate_limited("ask_near")
def show_answer_suggestions(request: HttpRequest) -> HttpResponse:
    """A fragment: answers to what is being typed."""
    words = query_params.read_query_words(request)
    found = find_answers(words, reader=request.user)
    return render(request, "faq/ask/_offered_entries.html", {"offered": found})


def find_answers(text: str, *, reader: Reader) -> Sequence[Entry]:
    """Return the entries that may answer `text`, the surest first."""
    results = search.search_entries(
        text[: query_params.MAX_QUERY_CHARS], user=reader, limit=MAX_OFFERED_ANSWERS
    )
    hits = results.hits or results.near_hits
    found = [hit.entry for hit in hits if hit.entry.answer_html][:MAX_OFFERED_ANSWERS]
    translations.apply_translations(found)
    return found


def _show_answers_and_form(
    request: HttpRequest, form: ask_form.AskForm
) -> HttpResponse:
    """Show answers to what was written, and the rest of the form below."""
    wrong = {k: v for k, v in form.errors.items() if k == "text"}
    return _render_ask_form(
        request, _collect_sent_values(form), wrong, first=bool(wrong)
    )


def _submit_question(request: HttpRequest, form: ask_form.AskForm) -> HttpResponse:
    if not is_same_origin(request):
        form.add_error("stamp", _("请在本站的页面上提交。"))
    if not form.is_valid():
        return _render_ask_form(
            request, _collect_sent_values(form), form.errors, status=400
        )
    for limit in ASK_RATE_SCOPES:
        if seconds := throttle_request(limit, request):
            told = _("您刚刚问过几次了，请等%(time)s再提交。")
            said = {"stamp": [told % {"time": _format_waiting_time(seconds)}]}
            page = _render_ask_form(
                request, _collect_sent_values(form), said, status=429
            )
            page.headers["Retry-After"] = str(seconds)
            return page
    try:
        inquiry = inquiries.submit_inquiry(
            form.cleaned_data["text"],
            details=ask_form.make_inquiry_details(form, request),
            uploads=ask_form.list_uploaded_pictures(request),
        )
    except ValidationError as error:
        return _render_ask_form(
            request, _collect_sent_values(form), error.message_dict, status=400
        )
    return redirect("faq:inquiry", token=inquiry.token)


def _collect_sent_values(form: ask_form.AskForm) -> dict[str, Any]:
    """Return what was sent, cleaned where it could be; a stamp that failed anew."""
    given = {name: form.data.get(name, "") for name in form.fields}
    given |= form.cleaned_data
    stamped = "stamp" not in form.errors
    module = form.cleaned_data.get("module")
    given["stamp"] = form.data["stamp"] if stamped else ask_form.make_form_stamp()
    return given | {"module": module.pk if module else ""}


def _render_ask_form(
    request: HttpRequest,
    sent: dict[str, Any],
    errors: Any,
    *,
    first: bool = False,
    status: int = 200,
) -> HttpResponse:
    text = str(sent.get("text", ""))
    context = {
        "sent": sent,
        "errors": {name: list(found) for name, found in dict(errors).items()},
        "first": first,
        "offered": find_answers(text, reader=request.user)
        if text and not first
        else (),
        "modules": ask_form.list_offered_modules(),
        "longest": ask_form.MAX_QUESTION_CHARS,
        "most_pictures": MAX_INQUIRY_PICTURES,
        "most_mb": settings.KB_PICTURE_MB,
        "is_mail_on": settings.KB_MAIL,
    }
    return render(request, "faq/ask/page.html", context, status=status)


def _format_waiting_time(seconds: int) -> str:
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if hours > 1:
        return _(" %(n)d 小时") % {"n": hours}
    if minutes > 1:
        return _(" %(n)d 分钟") % {"n": minutes}
    return _(" %(n)d 秒") % {"n": seconds}
