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

from kb.library import entries
from kb.models import Entry
from kb.web.desk.draft_entries import editor_required
from kb.web.desk.entry_history import parse_small_number
from kb.web.desk.inbox import StaffRequest

DUE_ENTRIES_PER_PAGE = 20  # entries
DUE_TABS = {"": "等我的", "mine": "我负责的", "all": "全部"}


def _read_due_tab(given: Mapping[str, Any]) -> str:
    show = str(given.get("show", ""))
    return show if show in DUE_TABS else ""


@editor_required
@require_safe
def list_due_entries(request: StaffRequest) -> HttpResponse:
    """List what is due: what waits for me, what I answer for, or all of it."""
    reader = request.user
    every = entries.list_due_entries().visible_to(reader)
    rows = {
        "": entries.list_due_entries_for(reader).visible_to(reader),
        "mine": every.filter(owner=reader),
        "all": every,
    }
    show = _read_due_tab(request.GET)
    listed = entries.rank_due_entries(rows[show])
    page = Paginator(listed, DUE_ENTRIES_PER_PAGE).get_page(request.GET.get("page"))
    found = Entry.objects.filter(pk__in=[one.entry_id for one in page])
    by_id = found.select_related("category", "owner").in_bulk()
    context = {
        "page": page,
        "shown": [(one, by_id[one.entry_id]) for one in page if one.entry_id in by_id],
        "show": show,
        "tabs": [(name, label, rows[name].count()) for name, label in DUE_TABS.items()],
        "total": len(listed),
        "is_mail_on": settings.KB_MAIL,
    }
    return render(request, "desk/due/page.html", context)


@editor_required
@require_POST
def confirm_entry(request: StaffRequest, pk: int) -> HttpResponse:
    """Say that an entry is still right, and when to look again."""
    seen = Entry.objects.visible_to(request.user)
    entry = seen.filter(pk=parse_small_number(str(pk))).first()
    show = _read_due_tab(request.POST)
    where = reverse("desk:due") + (f"?show={show}" if show else "")
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect(where)
    sent = request.POST.get("again", "")
    try:
        again = parse_small_number(sent) if sent.strip() else None
        entry = entries.confirm_entry(entry, by=request.user, next_in_days=again)
    except ValidationError as error:
        messages.error(request, f"「{entry}」：{' '.join(error.messages)}")
        return redirect(where)
    told = f"，{entry.review_at:%Y-%m-%d} 再看" if entry.review_at else ""
    messages.success(request, f"「{entry}」已复核{told}。")
    return redirect(where)
