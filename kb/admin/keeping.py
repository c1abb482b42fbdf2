"""What is typed is kept now and then, offered to its writer again, and gone once saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST

from kb import trash, unsaved
from kb.admin.base import ModelAdmin
from kb.admin.entryform import RESTORING
from kb.admin.lookup import is_id
from kb.admin.proposing import SAFE_METHODS
from kb.admin.recovery import offer_undo
from kb.models import Entry, Unsaved

if TYPE_CHECKING:
    Base = ModelAdmin
else:
    Base = object
RESTORE = "_restore"  # the row that is to be shown again
OWN = "_unsaved"  # the row of a new entry that the form is kept in
APART = {RESTORE, "csrfmiddlewaretoken", "_save", "_continue", "_move", OWN, RESTORING}
SHOWN = 5


class Keeping(Base):
    """The entry's form with a memory of its own; nobody is ever stopped by it."""

    def get_urls(self) -> list[Any]:
        def address(view: Any) -> Any:
            return self.admin_site.admin_view(require_POST(view))

        return [
            path("keep/", address(self.keep_view), name="kb_entry_keep"),
            path("drop/", address(self.drop_view), name="kb_entry_drop"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        by: Any = request.user
        entry = _entry(request, object_id)
        kept = _wanted(request, entry)
        if kept is None and RESTORE in request.POST:
            messages.warning(request, "这份没有保存的内容已经不在了。")
            return redirect(request.path)
        mine = unsaved.of(entry, by=by)
        extra = {**(extra_context or {}), "restored": kept}
        if kept:
            _show_again(request, kept)
        elif request.method in SAFE_METHODS and (entry or object_id is None):
            extra["unsaved"] = mine[:SHOWN]
        response = super().changeform_view(request, object_id, form_url, extra)
        if request.method == "POST" and response.status_code == 302:  # noqa: PLR2004
            known = request.POST.get(OWN, "")
            ids = [int(known)] if is_id(known) else []
            unsaved.drop(by=by, ids=[*ids, *(row.pk for row in mine if entry)])
        return response

    def save_model(
        self, request: HttpRequest, obj: Entry, form: Any, change: bool
    ) -> None:
        if RESTORING in request.POST:
            raise PermissionDenied("恢复的内容要看过再保存。")
        super().save_model(request, obj, form, change)

    def keep_view(self, request: HttpRequest) -> JsonResponse:
        """Keep the form; answer with the row and when, or with the reason why not."""
        given = _asked(request)
        number, known = given.get("_entry", ""), given.get(OWN, "")
        entry = _entry(request, number or None)
        if number and entry is None:
            return JsonResponse({"error": "这个条目已经不在了。"}, status=400)
        fields = [
            (name, value)
            for name, values in given.lists()
            for value in values
            if name not in {*APART, "_entry"}
        ]
        row_id = int(known) if is_id(known) else None
        try:
            row = unsaved.keep(fields, entry=entry, by=request.user, known=row_id)  # type: ignore[arg-type]
        except ValidationError as error:
            return JsonResponse({"error": " ".join(error.messages)}, status=400)
        at = timezone.localtime(row.at).strftime("%H:%M")
        return JsonResponse({"id": row.pk, "at": at})

    def drop_view(self, request: HttpRequest) -> HttpResponse:
        """Forget what was kept, and go back to where it was offered."""
        by: Any = request.user
        chosen = _asked(request).get("drop", "")
        row = Unsaved.objects.filter(by=by, pk=chosen if is_id(chosen) else 0).first()
        if row is None:
            return redirect("admin:kb_entry_add")
        offer_undo(request, trash.delete(row, by=by))
        if row.entry_id:
            return redirect("admin:kb_entry_change", row.entry_id)
        return redirect("admin:kb_entry_add")


def _wanted(request: HttpRequest, entry: Entry | None) -> Unsaved | None:
    """Return what is to be shown again: of this person and this page only."""
    number = request.POST.get(RESTORE, "")
    if request.method != "POST" or not is_id(number):
        return None
    by: Any = request.user
    return unsaved.of(entry, by=by).filter(pk=number).first()


def _show_again(request: HttpRequest, kept: Unsaved) -> None:
    """Let the form come up as if it had been sent so, and refused."""
    data = QueryDict(mutable=True)
    for name, value in kept.fields:
        data.appendlist(name, value)
    data[RESTORING], data[OWN] = "yes", str(kept.pk)
    request.POST = data  # type: ignore[assignment]


def _entry(request: HttpRequest, object_id: str | None) -> Entry | None:
    if object_id is None or not is_id(object_id):
        return None
    return Entry.objects.visible_to(request.user).filter(pk=object_id).first()


def _asked(request: HttpRequest) -> QueryDict:
    user = request.user
    if not (user.has_perm("kb.add_entry") or user.has_perm("kb.change_entry")):
        raise PermissionDenied("您没有编辑条目的权限。")
    return request.POST
