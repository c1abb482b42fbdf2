"""The page of one inquiry: its secret token is the only key, and no cache keeps it."""

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

from kb.models import Inquiry
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
    """Call `view` with the inquiry of the token; 404 without one.

    No robot lists the page, no cache keeps it, and no link passes its address on.
    """

    @wraps(view)
    def wrapped_view(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        inquiry = inquiries.find_inquiry(token)
        if inquiry is None:
            raise Http404
        response = view(request, inquiry, **kwargs)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return never_cache(rate_limited("read")(wrapped_view))


@require_safe
@inquiry_token_required
def show_inquiry(request: HttpRequest, inquiry: Inquiry) -> HttpResponse:
    return _render_inquiry(request, inquiry)


@csrf_exempt  # no other site knows the token
@require_POST
@inquiry_token_required
def rate_answer(request: HttpRequest, inquiry: Inquiry) -> HttpResponse:
    """Record the customer's satisfaction score; a later one replaces it."""
    score = request.POST.get("score", "")
    comment = normalize.clean_single_line(
        request.POST.get("comment", "")[: MAX_QUERY_CHARS * 10]
    )
    try:
        if score not in {str(n) for n, _ in SATISFACTION_SCORES}:
            message = _("请选 1 到 %(best)d 分中的一个。")
            raise ValidationError(message % {"best": MAX_SATISFACTION_SCORE})
        inquiries.rate_inquiry(inquiry, score=int(score), comment=comment)
    except ValidationError as error:
        return _render_inquiry(
            request,
            inquiry,
            status=400,
            error=" ".join(error.messages),
            comment=comment[:MAX_QUERY_CHARS],
        )
    return redirect("faq:inquiry", token=inquiry.token)


@require_safe
@inquiry_token_required
def serve_inquiry_picture(
    request: HttpRequest, inquiry: Inquiry, place: int
) -> HttpResponse:
    """Return the picture at `place`; a browser runs nothing that is in it."""
    attachment = inquiries.find_attachment(inquiry, place)
    if attachment is None:
        raise Http404
    response = HttpResponse(bytes(attachment.body), content_type="image/webp")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _render_inquiry(
    request: HttpRequest, inquiry: Inquiry, status: int = 200, **extra_context: Any
) -> HttpResponse:
    progress = inquiries.get_inquiry_progress(inquiry, reader=request.user)
    translations.apply_translations([progress.entry] if progress.entry else [])
    context = {
        "inquiry": inquiry,
        "progress": progress,
        "is_mailed": bool(settings.KB_MAIL and inquiry.email),
        "picture_places": inquiries.list_attachment_places(inquiry),
        "scores": SATISFACTION_SCORES,
        "comment": inquiry.comment,
        **extra_context,
    }
    return render(request, "faq/inquiry/page.html", context, status=status)
