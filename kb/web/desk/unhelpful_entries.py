"""没帮助: entries that did not help customers, until somebody has dealt with them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from kb import usage
from kb.library import entries
from kb.web.desk import UNDO_WINDOW
from kb.web.desk.access import StaffRequest, editor_required
from kb.web.desk.forms import parse_sent_time

MAX_LISTED_COMPLAINTS = 50  # entries; the next ones come when these are done


@editor_required
@require_safe
def list_unhelpful_entries(request: StaffRequest) -> HttpResponse:
    """List entries with complaints, those with most of them first."""
    is_handled = request.GET.get("show") == "done"
    context = {
        "complaints": usage.list_complaints(MAX_LISTED_COMPLAINTS, handled=is_handled),
        "total": usage.query_entries_with_complaints().count(),
        "is_handled": is_handled,
        "undo": usage.find_last_handled_complaint(
            request.user, since=timezone.now() - UNDO_WINDOW
        ),
    }
    return render(request, "desk/unhelpful/page.html", context)


@editor_required
@require_POST
def handle_complaints(request: StaffRequest, pk: int) -> HttpResponse:
    """Mark the complaints about an entry as handled, or put them back."""
    entry = entries.find_entry(pk, user=request.user)
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
    elif not entries.can_write_entry(entry, by=request.user):
        messages.warning(request, f"「{entry}」不在您负责的分类里，没有处理。")
    elif request.POST.get("do") == "back":
        at = parse_sent_time(request.POST.get("at", ""))
        count = usage.reopen_complaints(entry, handled_at=at)
        messages.success(request, f"「{entry}」的 {count} 条评价放回来了。")
    else:
        upto = parse_sent_time(request.POST.get("upto", "")) or timezone.now()
        count = usage.mark_complaints_handled(entry, upto=upto, by=request.user)
        messages.success(request, f"「{entry}」的 {count} 条评价已标为处理完。")
    return redirect("desk:unhelpful")
