"""Drafts and submitted entries: read them, publish them or send them back."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from kb.library import entries
from kb.quality import relevance_tests
from kb.web.desk.access import StaffRequest, editor_required

DRAFTS_PER_PAGE = 20
ENTRY_MOVES = {  # action in the address: stage function, start of the message
    "publish": (entries.publish_entry, "已发布"),
    "submit": (entries.submit_entry, "已提交审核："),
    "send-back": (entries.return_draft_to_author, "已退回为草稿："),
}


@editor_required
@require_safe
def list_drafts(request: StaffRequest) -> HttpResponse:
    """List what waits for review, then drafts, the latest first."""
    status = request.GET.get("status", "")
    if status not in entries.UNPUBLISHED_STATUSES:
        status = ""
    rows = entries.list_unpublished_entries(
        [status] if status else entries.UNPUBLISHED_STATUSES, user=request.user
    )
    page = Paginator(rows, DRAFTS_PER_PAGE).get_page(request.GET.get("page"))
    listed = list(page)
    context = {
        "page": page,
        "approvable_ids": entries.find_approvable_entry_ids(listed, by=request.user),
        "publishable_ids": {
            entry.pk
            for entry in listed
            if entries.can_publish_entry(entry, by=request.user)
        },
        "counts": entries.count_unpublished_entries(request.user),
        "status": status,
    }
    return render(request, "desk/drafts/page.html", context)


@editor_required
@require_POST
def move_entry(request: StaffRequest, pk: int, action: str) -> HttpResponse:
    """Publish an entry, submit it, or send it back."""
    if action not in ENTRY_MOVES:
        raise Http404
    move, message = ENTRY_MOVES[action]
    entry = entries.find_entry(pk, user=request.user)
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect("desk:drafts")
    if (
        action == "publish"
        and "warned" not in request.POST
        and relevance_tests.has_forecast_regression(entry)
    ):
        return redirect("desk:publish-warning", pk)
    try:
        entry = move(entry, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("desk:drafts")
    url = entry.get_absolute_url()
    messages.success(
        request, format_html("{}「<a href='{}'>{}</a>」。", message, url, entry)
    )
    return redirect("desk:drafts")
