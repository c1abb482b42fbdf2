"""The versions of an entry: what each changed, and any of them had back."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from kb.library import entries
from kb.models import Entry, EntryRevision
from kb.web.desk.draft_entries import editor_required
from kb.web.desk.forms import MAX_ID
from kb.web.desk.inbox import StaffRequest

VERSIONS_PER_PAGE = 30  # versions in the list


@editor_required
@require_safe
def show_history(request: StaffRequest, pk: int) -> HttpResponse:
    """List the versions, and show what one of them changed, or how it differs from now."""
    entry = _get_visible_entry(request, pk)
    kept = entries.list_entry_revisions(entry)
    shown = kept.filter(
        version=parse_small_number(request.GET.get("version", ""))
    ).first()
    shown = shown or kept.first()
    page = Paginator(kept.defer("content"), VERSIONS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {"entry": entry, "page": page, "shown": shown}
    if shown is not None:
        context |= _compare_versions(entry, shown, now=request.GET.get("to") == "now")
    return render(request, "desk/history/page.html", context)


@editor_required
@require_POST
def restore_version(request: StaffRequest, pk: int) -> HttpResponse:
    """Bring a version back, as a new one."""
    entry = _get_visible_entry(request, pk)
    given = request.POST
    wanted = entry.revisions.filter(
        version=parse_small_number(given.get("version", ""))
    ).first()
    where = reverse("desk:history", args=[entry.pk])
    if wanted is None:
        messages.warning(request, "没有这个版本。")
        return redirect(where)
    if entries.is_proposal_required(entry, by=request.user):
        return _propose_version(request, entry, wanted)
    try:
        seen, note = (
            parse_small_number(given.get("based_on", "")),
            given.get("note", ""),
        )
        entry, lost = entries.revert_entry(
            wanted, by=request.user, based_on=seen, note=note
        )
    except ValidationError as error:
        messages.error(request, f"没有恢复：{' '.join(error.messages)}")
        return redirect(f"{where}?version={wanted.version}&to=now")
    messages.success(
        request, f"已恢复到第 {wanted.version} 版，存为第 {entry.version} 版。"
    )
    if lost:
        messages.warning(request, f"这些已经不在了，没有恢复：{'、'.join(lost)}。")
    return redirect(where)


def _propose_version(
    request: StaffRequest, entry: Entry, wanted: EntryRevision
) -> HttpResponse:
    """Let who may not publish ask for the old version instead."""
    note = f"恢复到第 {wanted.version} 版 {request.POST.get('note', '')}"
    try:
        entries.propose_change(entry, wanted.content, by=request.user, note=note)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("desk:history", entry.pk)
    messages.success(request, "已提交审核。通过以前，已发布的内容不变。")
    return redirect(f"{reverse('desk:reviews')}?show=mine")


def _get_visible_entry(request: StaffRequest, pk: int) -> Entry:
    seen = Entry.objects.visible_to(request.user).select_related("category")
    found = seen.filter(pk=pk).first() if pk <= MAX_ID else None
    if found is None:
        raise Http404
    return found


def _compare_versions(
    entry: Entry, shown: EntryRevision, *, now: bool
) -> dict[str, object]:
    """Return what the version changed of the one before, or what it lacks of today's."""
    if now:
        differences = entries.compare_snapshots(
            entries.take_snapshot(entry), shown.content
        )
        return {"differences": differences, "to_now": True}
    before = entry.revisions.filter(version__lt=shown.version).first()
    differences = entries.compare_snapshots(
        before.content if before else {}, shown.content
    )
    return {"differences": differences, "before": before}


def parse_small_number(sent: str) -> int:
    """Return a version that was sent, or 0, which none has."""
    plain = sent.isascii() and sent.isdecimal() and len(sent) < len(str(MAX_ID))
    return int(sent) if plain and int(sent) < 2**31 else 0
