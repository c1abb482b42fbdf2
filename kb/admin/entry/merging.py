"""Merging two entries: a page with a preview, the merge, and its undo."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from kb.admin.autocomplete_lookup import is_valid_id
from kb.admin.entry.assistant import list_similar_entries
from kb.library import entries
from kb.models import Entry
from kb.quality import merging

MAX_SHOWN_MERGES = 5


def get_urls(model_admin: Any) -> list[Any]:
    """Return the URL patterns of merging two entries and of undoing it."""

    def protect(view: Any) -> Any:
        return model_admin.admin_site.admin_view(partial(view, model_admin))

    return [
        path("<int:pk>/merge/", protect(merge_view), name="kb_entry_merge"),
        path("<int:pk>/part/", protect(undo_merge_view), name="kb_entry_part"),
    ]


def build_merge_context(request: HttpRequest, entry: Entry | None) -> dict[str, Any]:
    """Return the merges of `entry` that the form shows, and whether more is allowed."""
    if entry is None:
        return {}
    return {
        "merged_into": merging.find_merge_of(entry),
        "merges": entry.merges.select_related("other")[:MAX_SHOWN_MERGES],
        "can_merge": _can_merge(request, entry),
    }


def merge_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Show what would move to the entry; on POST merge."""
    entry = _get_mergeable_entry(request, pk)
    other = _get_other_entry(request, request.GET.get("other", ""))
    if request.method == "POST" and other is not None:
        return _merge_and_redirect(request, entry, other)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "合并条目",
        "entry": entry,
        "other": other,
        "similar": list_similar_entries(request, entry.question, entry.pk),
        "other_number": request.GET.get("other", ""),
    }
    if other is not None and other.pk != entry.pk:
        context["preview"] = merging.preview_merge(entry, other)
    return TemplateResponse(request, "admin/kb/entry/merge.html", context)


def _merge_and_redirect(
    request: HttpRequest, entry: Entry, other: Entry
) -> HttpResponse:
    by: Any = request.user
    try:
        merging.merge_entries(entry, other, by=by)
    except (ValidationError, PermissionDenied) as error:
        messages.error(request, _describe_error(error))
        url = reverse("admin:kb_entry_merge", args=[entry.pk])
        return redirect(f"{url}?other={other.pk}")
    undo_url = reverse("admin:kb_entry_part", args=[other.pk])
    message = "「{}」已并入本条并下线，它的网址会转到这里。<a href='{}'>撤销</a>"
    messages.success(request, format_html(message, other, undo_url))
    return redirect("admin:kb_entry_change", entry.pk)


def undo_merge_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for confirmation; on POST undo the merge by which entry `pk` was retired."""
    other = _get_mergeable_entry(request, pk)
    merge = merging.find_merge_of(other)
    if merge is None:
        messages.warning(request, f"「{other}」没有并入别的条目。")
        return redirect("admin:kb_entry_change", other.pk)
    if request.method != "POST":
        context = {
            **model_admin.admin_site.each_context(request),
            "title": "撤销合并",
            "merge": merge,
        }
        return TemplateResponse(request, "admin/kb/entry/split.html", context)
    by: Any = request.user
    try:
        other = merging.undo_merge(merge, by=by)
    except (ValidationError, PermissionDenied) as error:
        messages.error(request, _describe_error(error))
    else:
        state = other.get_status_display()
        messages.success(request, f"已撤销合并，「{other}」现在是{state}。")
    return redirect("admin:kb_entry_change", other.pk)


def _get_mergeable_entry(request: HttpRequest, pk: int) -> Entry:
    """Return the entry, if it exists and this person may merge it."""
    by: Any = request.user
    entry = entries.find_entry(pk, user=by)
    if not request.user.has_perm("kb.publish_entry"):
        raise PermissionDenied("您没有合并条目的权限。")
    if entry is None:
        raise Http404
    if not _can_merge(request, entry):
        raise PermissionDenied("这一条不在您负责的分类里。")
    return entry


def _can_merge(request: HttpRequest, entry: Entry) -> bool:
    by: Any = request.user
    allowed = by.has_perm("kb.publish_entry") and by.has_perm("kb.change_entry")
    return allowed and entries.can_publish_entry(entry, by=by)


def _get_other_entry(request: HttpRequest, number: str) -> Entry | None:
    if not is_valid_id(number):
        return None
    by: Any = request.user
    return entries.find_entry(int(number), user=by)


def _describe_error(error: ValidationError | PermissionDenied) -> str:
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    return str(error)
