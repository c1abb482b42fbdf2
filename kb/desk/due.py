"""待复核: what is due to be looked at again, the weightiest first."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from kb import entries
from kb.desk.drafts import editor
from kb.desk.history import number
from kb.desk.views import StaffRequest
from kb.models import Entry

PAGE = 20  # entries


@editor
@require_safe
def due(request: StaffRequest) -> HttpResponse:
    """List what is due: all of it, or what I answer for."""
    seen = entries.due().filter(pk__in=Entry.objects.visible_to(request.user))
    own = seen.filter(owner=request.user)
    mine = request.GET.get("show") == "mine"
    listed = entries.queue(own if mine else seen)
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    rows = Entry.objects.filter(pk__in=[one.entry for one in page])
    by_id = rows.select_related("category", "owner").in_bulk()
    context = {
        "page": page,
        "shown": [(one, by_id[one.entry]) for one in page if one.entry in by_id],
        "mine": mine,
        "total": len(listed),
        "own": own.count(),
    }
    return render(request, "desk/due.html", context)


@editor
@require_POST
def confirm(request: StaffRequest, pk: int) -> HttpResponse:
    """Say that an entry is still right, and when to look again."""
    seen = Entry.objects.visible_to(request.user)
    entry = seen.filter(pk=number(str(pk))).first()
    back = "?show=mine" if request.POST.get("show") == "mine" else ""
    where = f"{reverse('desk:due')}{back}"
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect(where)
    sent = request.POST.get("again", "")
    try:
        again = number(sent) if sent.strip() else None
        entry = entries.confirm(entry, by=request.user, again=again)
    except ValidationError as error:
        messages.error(request, f"「{entry}」：{' '.join(error.messages)}")
        return redirect(where)
    told = f"，{entry.review_at:%Y-%m-%d} 再看" if entry.review_at else ""
    messages.success(request, f"「{entry}」已复核{told}。")
    return redirect(where)
