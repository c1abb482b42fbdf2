"""低分评价: answers that customers rated 1 or 2, until somebody has dealt with them."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from kb.questions import inquiries, queues
from kb.web.desk import UNDO_WINDOW
from kb.web.desk.access import StaffRequest
from kb.web.desk.answer_form import answer_permission_required
from kb.web.desk.forms import parse_sent_time

RATINGS_PER_PAGE = 20


@answer_permission_required
@require_safe
def list_low_ratings(request: StaffRequest) -> HttpResponse:
    """List unhandled low scores, the oldest first; with ?show=done the handled ones."""
    is_done = request.GET.get("show") == "done"
    rows = queues.list_low_scores(handled=is_done)
    context = {
        "page": Paginator(rows, RATINGS_PER_PAGE).get_page(request.GET.get("page")),
        "total": queues.list_low_scores(handled=False).count(),
        "is_done": is_done,
        "undo": queues.find_last_handled_score(request.user, within=UNDO_WINDOW),
    }
    return render(request, "desk/ratings/page.html", context)


@answer_permission_required
@require_POST
def handle_low_rating(request: StaffRequest, pk: int) -> HttpResponse:
    """Mark a low score as handled, or put it back into the list."""
    inquiry = queues.find_inquiry(pk)
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
