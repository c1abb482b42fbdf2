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

from kb import faces, inquiries, search
from kb.faq import asking, forms
from kb.faq.guard import public, throttled
from kb.faq.votes import is_from_here
from kb.models import Entry, Reader
from kb.models.inquiry import MOST_PICTURES
from kb.throttling import seconds_to_wait

OFFERED = 4  # answers
LIMITS = ("ask", "ask_day")  # rates of what is taken in


@csrf_exempt  # anonymous pages set no cookie; the form brings a stamp of ours
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@gzip_page
@throttled("ask_page")  # who has searched a lot may still ask
def page(request: HttpRequest) -> HttpResponse:
    """First what is asked, then answers and the whole form, then thanks."""
    if asking.too_large(request):
        said = {"pictures": [_("图片加起来太大了，请减少几张或缩小后再传。")]}
        return _form(request, {"stamp": asking.stamp()}, said, status=413)
    if request.method != "POST":
        words = forms.words(request)
        sent = {"text": words, "words": words, "stamp": asking.stamp()}
        return _form(request, sent, {}, first=not words)
    form = asking.AskForm(request.POST)
    form.is_valid()
    if "send" not in request.POST:
        return _look(request, form)
    return _send(request, form)


@public
@throttled("ask_near")
def near(request: HttpRequest) -> HttpResponse:
    """A fragment: answers to what is being typed."""
    words = forms.words(request)
    found = answers(words, reader=request.user)
    return render(request, "faq/ask/_offered_entries.html", {"offered": found})


def answers(text: str, *, reader: Reader) -> Sequence[Entry]:
    """Return the entries that may answer `text`, the surest first."""
    results = search.search(text[: forms.LONGEST], user=reader, limit=OFFERED)
    hits = results.hits or results.near
    found = [hit.entry for hit in hits if hit.entry.answer_html][:OFFERED]
    faces.wear(found)
    return found


def _look(request: HttpRequest, form: asking.AskForm) -> HttpResponse:
    """Show answers to what was written, and the rest of the form below."""
    wrong = {k: v for k, v in form.errors.items() if k == "text"}
    return _form(request, _sent(form), wrong, first=bool(wrong))


def _send(request: HttpRequest, form: asking.AskForm) -> HttpResponse:
    if not is_from_here(request):
        form.add_error("stamp", _("请在本站的页面上提交。"))
    if not form.is_valid():
        return _form(request, _sent(form), form.errors, status=400)
    for limit in LIMITS:
        if seconds := seconds_to_wait(limit, request):
            told = _("您刚刚问过几次了，请等%(time)s再提交。")
            said = {"stamp": [told % {"time": _spoken(seconds)}]}
            page = _form(request, _sent(form), said, status=429)
            page.headers["Retry-After"] = str(seconds)
            return page
    try:
        inquiry = inquiries.ask(
            form.cleaned_data["text"],
            asked=asking.asked(form, request),
            uploads=asking.uploads(request),
        )
    except ValidationError as error:
        return _form(request, _sent(form), error.message_dict, status=400)
    return redirect("faq:inquiry", token=inquiry.token)


def _sent(form: asking.AskForm) -> dict[str, Any]:
    """Return what was sent, cleaned where it could be; a stamp that failed anew."""
    given = {name: form.data.get(name, "") for name in form.fields}
    given |= form.cleaned_data
    stamped = "stamp" not in form.errors
    module = form.cleaned_data.get("module")
    given["stamp"] = form.data["stamp"] if stamped else asking.stamp()
    return given | {"module": module.pk if module else ""}


def _form(
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
        "offered": answers(text, reader=request.user) if text and not first else (),
        "modules": asking.offered(),
        "longest": asking.LONGEST,
        "most_pictures": MOST_PICTURES,
        "most_mb": settings.KB_PICTURE_MB,
        "is_mail_on": settings.KB_MAIL,
    }
    return render(request, "faq/ask/page.html", context, status=status)


def _spoken(seconds: int) -> str:
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if hours > 1:
        return _(" %(n)d 小时") % {"n": hours}
    if minutes > 1:
        return _(" %(n)d 分钟") % {"n": minutes}
    return _(" %(n)d 秒") % {"n": seconds}
