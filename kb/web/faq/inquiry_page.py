"""The asker's own page: known to nobody else, kept by nobody on the way."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from kb.models import Inquiry, InquiryAttachment
from kb.models.inquiry import MAX_SATISFACTION_SCORE
from kb.publishing import translations
from kb.questions import inquiries
from kb.text.chinese import normalize
from kb.web.faq.query_params import MAX_QUERY_CHARS
from kb.web.faq.view_decorators import rate_limited

View = Callable[..., HttpResponse]
SATISFACTION_SCORES = (
    (5, lazy("很满意")),
    (4, lazy("满意")),
    (3, lazy("一般")),
    (2, lazy("不满意")),
    (1, lazy("很不满意")),
)


def inquiry_token_required(view: View) -> View:
    """Answer who has the token, and let no robot, cache or link pass it on."""

    @wraps(view)
    def wrapped_view(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        asked = Inquiry.objects.select_related("question", "site")
        if (found := asked.filter(token=token).first()) is None:
            raise Http404
        response = view(request, found, **kwargs)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return never_cache(rate_limited("read")(wrapped_view))


@require_safe
@inquiry_token_required
def show_inquiry(request: HttpRequest, found: Inquiry) -> HttpResponse:
    return _render_inquiry(request, found)


@csrf_exempt  # the token is what no other site knows
@require_POST
@inquiry_token_required
def rate_answer(request: HttpRequest, found: Inquiry) -> HttpResponse:
    """Keep how satisfied the asker is; the last word counts."""
    score = request.POST.get("score", "")
    comment = normalize.clean_single_line(
        request.POST.get("comment", "")[: MAX_QUERY_CHARS * 10]
    )
    try:
        if score not in {str(n) for n, _ in SATISFACTION_SCORES}:
            told = _("请选 1 到 %(best)d 分中的一个。")
            raise ValidationError(told % {"best": MAX_SATISFACTION_SCORE})
        inquiries.rate_inquiry(found, score=int(score), comment=comment)
    except ValidationError as error:
        said = {"wrong": " ".join(error.messages), "comment": comment[:MAX_QUERY_CHARS]}
        return _render_inquiry(request, found, status=400, **said)
    return redirect("faq:inquiry", token=found.token)


@require_safe
@inquiry_token_required
def serve_inquiry_picture(
    request: HttpRequest, found: Inquiry, place: int
) -> HttpResponse:
    return make_attachment_response(found, place)


def make_attachment_response(inquiry: Inquiry, place: int) -> HttpResponse:
    """Return a picture that came with the inquiry, for who may see it."""
    enclosure = InquiryAttachment.objects.filter(inquiry=inquiry, place=place).first()
    if enclosure is None:
        raise Http404
    response = HttpResponse(bytes(enclosure.body), content_type="image/webp")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _render_inquiry(
    request: HttpRequest, found: Inquiry, status: int = 200, **more: Any
) -> HttpResponse:
    progress = inquiries.get_inquiry_progress(found, reader=request.user)
    translations.apply_translations([progress.entry] if progress.entry else [])
    context = {
        "inquiry": found,
        "progress": progress,
        "is_mailed": bool(settings.KB_MAIL and found.email),
        "places": found.attachments.values_list("place", flat=True),
        "scores": SATISFACTION_SCORES,
        "comment": found.comment,
        **more,
    }
    return render(request, "faq/inquiry/page.html", context, status=status)
