"""The page for asking: it searches first and takes a question if no answer helps."""

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
from kb.library import taxonomy
from kb.models import Entry, Reader
from kb.models.inquiry import MAX_INQUIRY_PICTURES
from kb.publishing import translations
from kb.questions import inquiries
from kb.system.throttling import throttle_request
from kb.web.faq import ask_form, query_params
from kb.web.faq.view_decorators import public_view, rate_limited
from kb.web.faq.votes import is_same_origin

MAX_OFFERED_ANSWERS = 4
ASK_RATE_SCOPES = ("ask", "ask_day")  # rate limits for questions that are stored


@csrf_exempt  # anonymous pages set no cookie; the form has a signed stamp instead
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@gzip_page
@rate_limited("ask_page")  # a limit of its own, so that searching does not use it up
def show_ask_page(request: HttpRequest) -> HttpResponse:
    """Show the form in two steps, or store the question.

    The first step asks for the question alone; the second shows answers that may help
    and the whole form. A stored question redirects to its inquiry page.
    """
    if ask_form.is_form_too_large(request):
        errors = {"pictures": [_("图片加起来太大了，请减少几张或缩小后再传。")]}
        return _render_ask_form(
            request, {"stamp": ask_form.make_form_stamp()}, errors, status=413
        )
    if request.method != "POST":
        words = query_params.read_query_words(request)
        values = {"text": words, "words": words, "stamp": ask_form.make_form_stamp()}
        return _render_ask_form(request, values, {}, is_first_step=not words)
    form = ask_form.AskForm(request.POST)
    form.is_valid()
    if "send" not in request.POST:
        return _show_answers_and_form(request, form)
    return _submit_question(request, form)


@public_view
@rate_limited("ask_near")
def show_answer_suggestions(request: HttpRequest) -> HttpResponse:
    """Return a fragment with answers to the text that is being typed."""
    words = query_params.read_query_words(request)
    entries = find_answers(words, reader=request.user)
    return render(request, "faq/ask/_offered_entries.html", {"offered": entries})


def find_answers(text: str, *, reader: Reader) -> Sequence[Entry]:
    """Return at most MAX_OFFERED_ANSWERS entries that may answer `text`, best first."""
    results = search.search_entries(
        text[: query_params.MAX_QUERY_CHARS], user=reader, limit=MAX_OFFERED_ANSWERS
    )
    hits = results.hits or results.near_hits
    entries = [hit.entry for hit in hits if hit.entry.answer_html][:MAX_OFFERED_ANSWERS]
    translations.apply_translations(entries)
    return entries


def _show_answers_and_form(
    request: HttpRequest, form: ask_form.AskForm
) -> HttpResponse:
    """Show the second step; an invalid question shows the first step again."""
    errors = {k: v for k, v in form.errors.items() if k == "text"}
    return _render_ask_form(
        request, _collect_form_values(form), errors, is_first_step=bool(errors)
    )


def _submit_question(request: HttpRequest, form: ask_form.AskForm) -> HttpResponse:
    if not is_same_origin(request):
        form.add_error("stamp", _("请在本站的页面上提交。"))
    if not form.is_valid():
        return _render_ask_form(
            request, _collect_form_values(form), form.errors, status=400
        )
    for scope in ASK_RATE_SCOPES:
        if seconds := throttle_request(scope, request):
            message = _("您刚刚问过几次了，请等%(time)s再提交。")
            errors = {"stamp": [message % {"time": _format_waiting_time(seconds)}]}
            response = _render_ask_form(
                request, _collect_form_values(form), errors, status=429
            )
            response.headers["Retry-After"] = str(seconds)
            return response
    try:
        inquiry = inquiries.submit_inquiry(
            form.cleaned_data["text"],
            details=ask_form.make_inquiry_details(form, request),
            uploads=ask_form.list_uploaded_pictures(request),
        )
    except ValidationError as error:
        return _render_ask_form(
            request, _collect_form_values(form), error.message_dict, status=400
        )
    return redirect("faq:inquiry", token=inquiry.token)


def _collect_form_values(form: ask_form.AskForm) -> dict[str, Any]:
    """Return the values to fill the form with again.

    Valid fields are cleaned, invalid ones as sent. An invalid stamp is replaced.
    """
    values = {name: form.data.get(name, "") for name in form.fields}
    values |= form.cleaned_data
    is_stamp_valid = "stamp" not in form.errors
    module = form.cleaned_data.get("module")
    values["stamp"] = (
        form.data["stamp"] if is_stamp_valid else ask_form.make_form_stamp()
    )
    return values | {"module": module.pk if module else ""}


def _render_ask_form(
    request: HttpRequest,
    values: dict[str, Any],
    errors: Any,
    *,
    is_first_step: bool = False,
    status: int = 200,
) -> HttpResponse:
    text = str(values.get("text", ""))
    offered: Sequence[Entry] = ()
    if text and not is_first_step:
        offered = find_answers(text, reader=request.user)
    context = {
        "values": values,
        "errors": {name: list(messages) for name, messages in dict(errors).items()},
        "is_first_step": is_first_step,
        "offered": offered,
        "modules": taxonomy.query_offered_modules(),
        "max_question_chars": ask_form.MAX_QUESTION_CHARS,
        "max_pictures": MAX_INQUIRY_PICTURES,
        "max_picture_mb": settings.KB_PICTURE_MB,
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
