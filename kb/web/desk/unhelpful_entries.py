"""What did not help readers, and why: mend the entry, then say that it is done."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from kb import usage
from kb.library import entries
from kb.models import Entry
from kb.web.desk import inbox_queue
from kb.web.desk.draft_entries import editor_required
from kb.web.desk.forms import parse_sent_time
from kb.web.desk.inbox import StaffRequest

MAX_LISTED_COMPLAINTS = (
    50  # entries on the page; the next ones come when these are done
)


@editor_required
@require_safe
def list_unhelpful_entries(request: StaffRequest) -> HttpResponse:
    """List entries that did not help, the most often named first."""
    handled = request.GET.get("show") == "done"
    context = {
        "complaints": usage.list_complaints(MAX_LISTED_COMPLAINTS, handled=handled),
        "total": usage.query_entries_with_complaints().count(),
        "handled": handled,
        "undo": usage.find_last_handled_complaint(
            request.user, since=timezone.now() - inbox_queue.UNDO_WINDOW
        ),
    }
    return render(request, "desk/unhelpful/page.html", context)


@editor_required
@require_POST
def handle_complaints(request: StaffRequest, pk: int) -> HttpResponse:
    """Call what was read about an entry done, or let it wait again."""
    entry = Entry.objects.visible_to(request.user).filter(pk=pk).first()
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
