"""Answers that their askers rated 1 or 2: read why, correct the answer, note that it is done."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from kb.models import Inquiry
from kb.questions import inquiries
from kb.web.desk import inbox_queue
from kb.web.desk.answer_form import answer_permission_required
from kb.web.desk.forms import parse_sent_time
from kb.web.desk.inbox import StaffRequest

RATINGS_PER_PAGE = 20  # inquiries


@answer_permission_required
@require_safe
def list_low_ratings(request: StaffRequest) -> HttpResponse:
    """List low scores that wait, the oldest first; ?show=done those dealt with."""
    is_done = request.GET.get("show") == "done"
    if is_done:
        rows = Inquiry.objects.with_low_score().exclude(score_handled_at=None)
        rows = rows.order_by("-score_handled_at", "-pk")
    else:
        rows = Inquiry.objects.with_unhandled_low_score().order_by("scored_at", "pk")
    rows = rows.select_related(
        "question__answered_by", "question__entry", "score_handled_by"
    )
    mine = Inquiry.objects.with_low_score().filter(
        score_handled_by=request.user,
        score_handled_at__gt=timezone.now() - inbox_queue.UNDO_WINDOW,
    )
    context = {
        "page": Paginator(rows, RATINGS_PER_PAGE).get_page(request.GET.get("page")),
        "total": Inquiry.objects.with_unhandled_low_score().count(),
        "is_done": is_done,
        "undo": mine.order_by("-score_handled_at", "-pk").first(),
    }
    return render(request, "desk/ratings/page.html", context)


@answer_permission_required
@require_POST
def handle_low_rating(request: StaffRequest, pk: int) -> HttpResponse:
    """Note that a low score was dealt with, or put it back."""
    inquiry = Inquiry.objects.filter(pk=pk).select_related("question").first()
    if inquiry is None:
        messages.warning(request, "这个提问已经不在了。")
    elif request.POST.get("do") == "back":
        if inquiries.reopen_low_score(inquiry):
            messages.success(request, f"「{inquiry}」的评分放回来了。")
    elif inquiries.mark_score_handled(
        inquiry,
        seen_scored_at=parse_sent_time(request.POST.get("seen", "")),
        by=request.user,
    ):
        messages.success(request, f"「{inquiry}」的评分已标为处理完。")
    else:
        messages.warning(request, "顾客刚刚改过评分，或者同事已经处理了，请再看一下。")
    return redirect("desk:ratings")
