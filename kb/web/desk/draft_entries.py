"""Entries on their way: read them, publish them or send them back."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from kb.library import entries
from kb.models import Entry, prefetch_shared_replies
from kb.quality import relevance_tests
from kb.web.desk.inbox import StaffRequest, View

DRAFTS_PER_PAGE = 20  # entries
UNPUBLISHED_STATUSES = (Entry.Status.REVIEW, Entry.Status.DRAFT)
ENTRY_MOVES = {
    "publish": (entries.publish_entry, "已发布"),
    "submit": (entries.submit_entry, "已提交审核："),
    "send-back": (entries.return_draft_to_author, "已退回为草稿："),
}


def editor_required(view: View) -> View:
    """Let only those into `view` who may change entries."""
    allowed = permission_required("kb.change_entry", raise_exception=True)(view)
    return never_cache(login_required(allowed))


@editor_required
@require_safe
def list_drafts(request: StaffRequest) -> HttpResponse:
    """List what waits for review, then drafts, the latest first."""
    status = request.GET.get("status", "")
    seen = Entry.objects.visible_to(request.user)
    counts = seen.aggregate(
        **{s.value: Count("pk", filter=Q(status=s)) for s in UNPUBLISHED_STATUSES}
    )
    wanted = [status] if status in UNPUBLISHED_STATUSES else list(UNPUBLISHED_STATUSES)
    listed = (
        seen.filter(status__in=wanted)
        .select_related("category", "updated_by")
        .prefetch_related(prefetch_shared_replies(), "phrasings")
        .annotate(asked=Count("questions"))
        .order_by("-status", "-updated_at", "-pk")  # review stands after draft
    )
    page = Paginator(listed, DRAFTS_PER_PAGE).get_page(request.GET.get("page"))
    found = list(page)
    context = {
        "page": page,
        "judgeable": entries.find_approvable_entry_ids(found, by=request.user),
        "governed": {
            e.pk for e in found if entries.can_publish_entry(e, by=request.user)
        },
        "counts": counts,
        "status": status if len(wanted) == 1 else "",
    }
    return render(request, "desk/drafts/page.html", context)


@editor_required
@require_POST
def move_entry(request: StaffRequest, pk: int, action: str) -> HttpResponse:
    """Publish an entry, submit it, or send it back."""
    if action not in ENTRY_MOVES:
        raise Http404
    stage, said = ENTRY_MOVES[action]
    entry = Entry.objects.visible_to(request.user).filter(pk=pk).first()
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect("desk:drafts")
    if (
        action == "publish"
        and "warned" not in request.POST
        and relevance_tests.has_forecast_regression(entry)
    ):
        return redirect("desk:golden-warning", pk)
    try:
        entry = stage(entry, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("desk:drafts")
    url = entry.get_absolute_url()
    messages.success(
        request, format_html("{}「<a href='{}'>{}</a>」。", said, url, entry)
    )
    return redirect("desk:drafts")
