"""Autosave of the form: store it, offer it to its writer, delete it after the save."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST

from kb.admin.autocomplete_lookup import is_valid_id
from kb.admin.entry.form import RESTORING_FIELD
from kb.admin.entry.state import get_visible_entry
from kb.admin.recoverable_admin import offer_undo
from kb.library import autosave
from kb.models import Autosave, Entry
from kb.operations import trash

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
RESTORE_FIELD = "_restore"  # posts the id of the autosave to show
AUTOSAVE_ID_FIELD = "_unsaved"  # posts the id of the autosave of a new entry
EXCLUDED_FIELDS = {
    RESTORE_FIELD,
    "csrfmiddlewaretoken",
    "_save",
    "_continue",
    "_move",
    AUTOSAVE_ID_FIELD,
    RESTORING_FIELD,
}
MAX_SHOWN_AUTOSAVES = 5


def get_urls(model_admin: Any) -> list[Any]:
    """Return the URL patterns that the script of the form posts to."""

    def protect(view: Any) -> Any:
        return model_admin.admin_site.admin_view(require_POST(view))

    return [
        path("keep/", protect(save_view), name="kb_entry_keep"),
        path("drop/", protect(drop_view), name="kb_entry_drop"),
    ]


def is_restoring(request: HttpRequest) -> bool:
    """Return whether the request asks to show an autosave, instead of saving."""
    return RESTORE_FIELD in request.POST


def find_autosaved(request: HttpRequest, entry: Entry | None) -> Autosave | None:
    """Return the autosave to show: only one of this person and this entry."""
    number = request.POST.get(RESTORE_FIELD, "")
    if request.method != "POST" or not is_valid_id(number):
        return None
    by: Any = request.user
    return autosave.list_autosaves(entry, by=by).filter(pk=number).first()


def build_restored_data(autosaved: Autosave) -> QueryDict:
    """Return the autosave as posted data, with a mark by which the form refuses to save."""
    data = QueryDict(mutable=True)
    for name, value in autosaved.fields:
        data.appendlist(name, value)
    data[RESTORING_FIELD], data[AUTOSAVE_ID_FIELD] = "yes", str(autosaved.pk)
    return data


def respond_missing(request: HttpRequest) -> HttpResponse:
    """Show the form again, with a message that the autosave is gone."""
    messages.warning(request, "这份没有保存的内容已经不在了。")
    return redirect(request.path)


def list_autosaved(
    request: HttpRequest, entry: Entry | None, *, is_new: bool
) -> list[Autosave]:
    """Return the autosaves that the form offers to restore; none on a POST."""
    if request.method not in SAFE_METHODS or not (entry or is_new):
        return []
    by: Any = request.user
    return list(autosave.list_autosaves(entry, by=by)[:MAX_SHOWN_AUTOSAVES])


def drop_saved(
    request: HttpRequest, response: HttpResponse, entry: Entry | None
) -> None:
    """Delete the autosaves of a form that has been saved now."""
    if request.method != "POST" or response.status_code != HTTPStatus.FOUND:
        return
    by: Any = request.user
    posted_id = request.POST.get(AUTOSAVE_ID_FIELD, "")
    ids = [int(posted_id)] if is_valid_id(posted_id) else []
    if entry:
        ids += autosave.list_autosaves(entry, by=by).values_list("pk", flat=True)
    autosave.delete_autosaves(by=by, ids=ids)


def require_seen(request: HttpRequest) -> None:
    """Raise PermissionDenied where restored content would be saved without being shown."""
    if RESTORING_FIELD in request.POST:
        raise PermissionDenied("恢复的内容要看过再保存。")


def save_view(request: HttpRequest) -> JsonResponse:
    """Store the form; return {"id", "at"}, or {"error"} with status 400."""
    data = _require_editor(request)
    entry_id, posted_id = data.get("_entry", ""), data.get(AUTOSAVE_ID_FIELD, "")
    entry = get_visible_entry(request, entry_id or None)
    if entry_id and entry is None:
        return JsonResponse({"error": "这个条目已经不在了。"}, status=400)
    fields = [
        (name, value)
        for name, values in data.lists()
        for value in values
        if name not in {*EXCLUDED_FIELDS, "_entry"}
    ]
    row_id = int(posted_id) if is_valid_id(posted_id) else None
    by: Any = request.user
    try:
        row = autosave.save_form_fields(fields, entry=entry, by=by, autosave_id=row_id)
    except ValidationError as error:
        return JsonResponse({"error": " ".join(error.messages)}, status=400)
    at = timezone.localtime(row.at).strftime("%H:%M")
    return JsonResponse({"id": row.pk, "at": at})


def drop_view(request: HttpRequest) -> HttpResponse:
    """Move an autosave to the trash, and show the form again that offered it."""
    by: Any = request.user
    pk = _require_editor(request).get("drop", "")
    rows = Autosave.objects.filter(by=by)
    row = rows.filter(pk=pk).first() if is_valid_id(pk) else None
    if row is None:
        return redirect("admin:kb_entry_add")
    offer_undo(request, trash.delete_row(row, by=by))
    if row.entry_id:
        return redirect("admin:kb_entry_change", row.entry_id)
    return redirect("admin:kb_entry_add")


def _require_editor(request: HttpRequest) -> QueryDict:
    """Return the posted data; raises PermissionDenied."""
    user = request.user
    if not (user.has_perm("kb.add_entry") or user.has_perm("kb.change_entry")):
        raise PermissionDenied("您没有编辑条目的权限。")
    return request.POST
