"""Base of tables whose text people read: written through kb.library.text_gate only."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from kb.admin.autocomplete_lookup import is_valid_id
from kb.admin.scoped_admin import ScopedAdmin, ScopedForm
from kb.library import text_gate
from kb.models import TextRevision
from kb.text.markup import text_diff

HISTORY_PAGE_CHANGES = 30
HISTORY_CONTEXT_CHARS = 120  # shown on each side of a change


class GatedForm(ScopedForm):
    """A form that shows at each field why the gate refuses its text."""

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors:
            return
        for name, problem in text_gate.find_text_problems(self.instance, by=self.by):
            self.add_error(name if name in self.fields else None, problem)


class GatedAdmin(ScopedAdmin):
    """Saves, deletes and restores text through the gate, and shows its history."""

    form = GatedForm

    def save_gated_text(self, row: Any, by: Any) -> None:
        """Save a row through the gate. A table whose stage writes it overrides this."""
        text_gate.save_text_row(row, by=by)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        self.save_gated_text(obj, request.user)

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        by: Any = request.user
        text_gate.delete_text_row(row, by=by)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show every change of the texts of a row; on POST restore one of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        can_change = self.has_change_permission(request, row)
        if request.method == "POST":
            if not can_change:
                raise PermissionDenied
            self._restore_posted_revision(request, row)
            return redirect(request.path)
        rows = text_gate.list_text_revisions(row)
        page = Paginator(rows, HISTORY_PAGE_CHANGES).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"历史：{row}",
            "opts": self.opts,
            "row": row,
            "change_url": reverse(
                f"admin:kb_{self.opts.model_name}_change", args=[row.pk]
            ),
            "page": page,
            "changes": [(revision, _build_excerpts(revision)) for revision in page],
            "can_restore": can_change,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/kb/text_history.html", context)

    def _restore_posted_revision(self, request: HttpRequest, row: Any) -> None:
        by: Any = request.user
        pk = request.POST.get("revision", "")
        rows = text_gate.list_text_revisions(row)
        revision = rows.filter(pk=pk).first() if is_valid_id(pk) else None
        if revision is None:
            messages.warning(request, "没有这次修改。")
            return
        try:
            self.restore_gated_text(revision, by)
        except ValidationError as error:
            messages.error(request, f"没有恢复：{' '.join(error.messages)}")
        else:
            messages.success(
                request, f"「{revision.field_label}」已恢复成这次修改以前的内容。"
            )

    def restore_gated_text(self, revision: TextRevision, by: Any) -> None:
        """Restore the text before `revision`; overridden like `save_gated_text`."""
        text_gate.restore_text(revision, by=by)


def _build_excerpts(revision: TextRevision) -> list[text_diff.DiffPart]:
    return text_diff.diff_excerpts(
        revision.before, revision.after, HISTORY_CONTEXT_CHARS
    )
