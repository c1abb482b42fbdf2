"""Versions of an entry: what each of them changed, and restoring one."""

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
from kb.web.desk.access import StaffRequest, editor_required
from kb.web.desk.forms import parse_id

VERSIONS_PER_PAGE = 30


@editor_required
@require_safe
def show_history(request: StaffRequest, pk: int) -> HttpResponse:
    """List the versions and show what one of them changed; ?to=now compares it with today."""
    entry = _get_visible_entry(request, pk)
    revisions = entries.list_entry_revisions(entry)
    shown = entries.find_revision(entry, parse_id(request.GET.get("version", "")))
    shown = shown or revisions.first()
    page = Paginator(revisions.defer("content"), VERSIONS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {"entry": entry, "page": page, "shown": shown}
    if shown is not None:
        to_now = request.GET.get("to") == "now"
        context |= _compare_versions(entry, shown, to_now=to_now)
    return render(request, "desk/history/page.html", context)


@editor_required
@require_POST
def restore_version(request: StaffRequest, pk: int) -> HttpResponse:
    """Restore a version as a new one, or propose it where a review is required."""
    entry = _get_visible_entry(request, pk)
    revision = entries.find_revision(entry, parse_id(request.POST.get("version", "")))
    url = reverse("desk:history", args=[entry.pk])
    if revision is None:
        messages.warning(request, "没有这个版本。")
        return redirect(url)
    if entries.is_proposal_required(entry, by=request.user):
        return _propose_version(request, entry, revision)
    based_on = parse_id(request.POST.get("based_on", ""))
    note = request.POST.get("note", "")
    try:
        entry, missing_names = entries.revert_entry(
            revision, by=request.user, based_on=based_on, note=note
        )
    except ValidationError as error:
        messages.error(request, f"没有恢复：{' '.join(error.messages)}")
        return redirect(f"{url}?version={revision.version}&to=now")
    messages.success(
        request, f"已恢复到第 {revision.version} 版，存为第 {entry.version} 版。"
    )
    if missing_names:
        names = "、".join(missing_names)
        messages.warning(request, f"这些已经不在了，没有恢复：{names}。")
    return redirect(url)


def _propose_version(
    request: StaffRequest, entry: Entry, revision: EntryRevision
) -> HttpResponse:
    """Submit the old version for review, for somebody who may not publish."""
    note = f"恢复到第 {revision.version} 版 {request.POST.get('note', '')}"
    try:
        entries.propose_change(entry, revision.content, by=request.user, note=note)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("desk:history", entry.pk)
    messages.success(request, "已提交审核。通过以前，已发布的内容不变。")
    return redirect(f"{reverse('desk:reviews')}?show=mine")


def _get_visible_entry(request: StaffRequest, pk: int) -> Entry:
    entry = entries.find_entry(pk, user=request.user)
    if entry is None:
        raise Http404
    return entry


def _compare_versions(
    entry: Entry, shown: EntryRevision, *, to_now: bool
) -> dict[str, object]:
    """Return the differences from the version before, or with `to_now` from today's."""
    if to_now:
        differences = entries.compare_snapshots(
            entries.take_snapshot(entry), shown.content
        )
        return {"differences": differences, "to_now": True}
    before = entries.find_previous_revision(shown)
    differences = entries.compare_snapshots(
        before.content if before else {}, shown.content
    )
    return {"differences": differences, "before": before}
