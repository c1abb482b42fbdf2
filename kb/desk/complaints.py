"""What did not help readers, and why: mend the entry, then say that it is done."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from kb import entries, feedback
from kb.desk import queue
from kb.desk.drafts import editor
from kb.desk.forms import parse_moment
from kb.desk.views import StaffRequest
from kb.models import Entry

MOST = 50  # entries on the page; the next ones come when these are done


@editor
@require_safe
def unhelpful(request: StaffRequest) -> HttpResponse:
    """List entries that did not help, the most often named first."""
    handled = request.GET.get("show") == "done"
    context = {
        "complaints": feedback.complaints(MOST, handled=handled),
        "total": feedback.complained().count(),
        "handled": handled,
        "undo": feedback.last_handled(request.user, since=timezone.now() - queue.UNDO),
    }
    return render(request, "desk/unhelpful/page.html", context)


@editor
@require_POST
def handle(request: StaffRequest, pk: int) -> HttpResponse:
    """Call what was read about an entry done, or let it wait again."""
    entry = Entry.objects.visible_to(request.user).filter(pk=pk).first()
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
    elif not entries.may_write(entry, by=request.user):
        messages.warning(request, f"「{entry}」不在您负责的分类里，没有处理。")
    elif request.POST.get("do") == "back":
        at = parse_moment(request.POST.get("at", ""))
        count = feedback.hand_back(entry, at=at)
        messages.success(request, f"「{entry}」的 {count} 条评价放回来了。")
    else:
        upto = parse_moment(request.POST.get("upto", "")) or timezone.now()
        count = feedback.handle(entry, upto=upto, by=request.user)
        messages.success(request, f"「{entry}」的 {count} 条评价已标为处理完。")
    return redirect("desk:unhelpful")
