"""Tables of text that people read: the admin writes them through the gate alone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from kb import text_gate
from kb.admin.lookup import is_id
from kb.admin.scoped import ScopedAdmin, ScopedForm
from kb.models import TextRevision
from kb.text import difference

PAGE = 30  # changes on the page of a history
AROUND = 120  # characters shown on each side of a change


class GatedForm(ScopedForm):
    """A form that says at each field why its text may not go live."""

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors:
            return
        for name, told in text_gate.problems(self.instance, by=self.by):
            self.add_error(name if name in self.fields else None, told)


class GatedAdmin(ScopedAdmin):
    """Saves, deletes and restores text through kb.text_gate, and shows its history."""

    form = GatedForm

    def write_text(self, row: Any, by: Any) -> None:
        """Save a row through the gate; tables with a stage of their own override it."""
        text_gate.save(row, by=by)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        self.write_text(obj, request.user)

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        by: Any = request.user
        text_gate.delete(row, by=by)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show every change of the texts of a row; on POST restore one of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        may_change = self.has_change_permission(request, row)
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            self._restore(request, row)
            return redirect(request.path)
        rows = text_gate.revisions(row)
        page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
        names = text_gate.TABLES[self.model].columns
        context = {
            **self.admin_site.each_context(request),
            "title": f"历史：{row}",
            "opts": self.opts,
            "row": row,
            "back": reverse(f"admin:kb_{self.opts.model_name}_change", args=[row.pk]),
            "page": page,
            "changes": [(one, _parts(one)) for one in page],
            "may_restore": may_change,
            "now": {name: getattr(row, name) for name in names},
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/kb/text_history.html", context)

    def _restore(self, request: HttpRequest, row: Any) -> None:
        by: Any = request.user
        sent = request.POST.get("revision", "")
        wanted = text_gate.revisions(row).filter(pk=sent if is_id(sent) else 0).first()
        if wanted is None:
            messages.warning(request, "没有这次修改。")
            return
        try:
            self.restore_text(wanted, by)
        except ValidationError as error:
            messages.error(request, f"没有恢复：{' '.join(error.messages)}")
        else:
            messages.success(request, f"「{wanted.label}」已恢复成这次修改以前的内容。")

    def restore_text(self, revision: TextRevision, by: Any) -> None:
        text_gate.restore(revision, by=by)


def _parts(one: TextRevision) -> list[difference.Part]:
    return difference.short(one.before, one.after, AROUND)
