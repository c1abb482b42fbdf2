"""待复核: what is due to be looked at again, the weightiest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
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
SHOWS = {"": "等我的", "mine": "我负责的", "all": "全部"}


def _shown(given: Mapping[str, Any]) -> str:
    show = str(given.get("show", ""))
    return show if show in SHOWS else ""


@editor
@require_safe
def due(request: StaffRequest) -> HttpResponse:
    """List what is due: what waits for me, what I answer for, or all of it."""
    reader = request.user
    every = entries.due().visible_to(reader)
    rows = {
        "": entries.due_for(reader).visible_to(reader),
        "mine": every.filter(owner=reader),
        "all": every,
    }
    show = _shown(request.GET)
    listed = entries.queue(rows[show])
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    found = Entry.objects.filter(pk__in=[one.entry for one in page])
    by_id = found.select_related("category", "owner").in_bulk()
    context = {
        "page": page,
        "shown": [(one, by_id[one.entry]) for one in page if one.entry in by_id],
        "show": show,
        "tabs": [(name, label, rows[name].count()) for name, label in SHOWS.items()],
        "total": len(listed),
        "is_mail_on": settings.KB_MAIL,
    }
    return render(request, "desk/due/page.html", context)


@editor
@require_POST
def confirm(request: StaffRequest, pk: int) -> HttpResponse:
    """Say that an entry is still right, and when to look again."""
    seen = Entry.objects.visible_to(request.user)
    entry = seen.filter(pk=number(str(pk))).first()
    show = _shown(request.POST)
    where = reverse("desk:due") + (f"?show={show}" if show else "")
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
