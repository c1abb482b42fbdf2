"""待复核: entries that are due for review, the most urgent first."""

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
from kb.web.desk.access import StaffRequest, editor_required
from kb.web.desk.forms import parse_id

DUE_ENTRIES_PER_PAGE = 20
DUE_TABS = {"": "等我的", "mine": "我负责的", "all": "全部"}


def _read_due_tab(query: Mapping[str, Any]) -> str:
    show = str(query.get("show", ""))
    return show if show in DUE_TABS else ""


@editor_required
@require_safe
def list_due_entries(request: StaffRequest) -> HttpResponse:
    """List due entries: those that wait for the reader, those they own, or all."""
    rows = entries.list_visible_due_entries(request.user)
    show = _read_due_tab(request.GET)
    ranked = entries.rank_due_entries(rows[show])
    page = Paginator(ranked, DUE_ENTRIES_PER_PAGE).get_page(request.GET.get("page"))
    by_id = entries.load_entries((due.entry_id for due in page), user=request.user)
    context = {
        "page": page,
        "shown": [(due, by_id[due.entry_id]) for due in page if due.entry_id in by_id],
        "show": show,
        "tabs": [(name, label, rows[name].count()) for name, label in DUE_TABS.items()],
        "total": len(ranked),
        "is_mail_on": settings.KB_MAIL,
    }
    return render(request, "desk/due/page.html", context)


@editor_required
@require_POST
def confirm_entry(request: StaffRequest, pk: int) -> HttpResponse:
    """Confirm that an entry is still right, and set when it is due again."""
    entry = entries.find_entry(pk, user=request.user)
    show = _read_due_tab(request.POST)
    url = reverse("desk:due") + (f"?show={show}" if show else "")
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect(url)
    days = request.POST.get("again", "")
    try:
        again = parse_id(days) if days.strip() else None
        entry = entries.confirm_entry(entry, by=request.user, next_in_days=again)
    except ValidationError as error:
        messages.error(request, f"「{entry}」：{' '.join(error.messages)}")
        return redirect(url)
    next_review = f"，{entry.review_at:%Y-%m-%d} 再看" if entry.review_at else ""
    messages.success(request, f"「{entry}」已复核{next_review}。")
    return redirect(url)
