"""Base of tables beside entries, for people who may write only some categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from kb.admin.base_admin import BaseAdmin, ConstraintCheckingForm
from kb.library.entries import category_scopes

if TYPE_CHECKING:
    from kb.models import User


class ScopedForm(ConstraintCheckingForm):
    """A form that refuses a row that concerns categories its sender may not write."""

    by: User | None = None  # set by ScopedAdmin on the class of each request

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors:
            return
        if reason := category_scopes.explain_scope_refusal(self.instance, by=self.by):
            self.add_error(None, reason)


class ScopedAdmin(BaseAdmin):
    """Rows of categories that the person may not write are read-only."""

    form = ScopedForm

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form_class: Any = super().get_form(request, obj, change, **kwargs)
        form_class.by = request.user  # the class is made for this request alone
        return form_class

    def has_add_permission(self, request: HttpRequest) -> bool:
        by: Any = request.user
        allowed = super().has_add_permission(request)
        return allowed and category_scopes.can_add_row(self.model, by=by)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        by: Any = request.user
        allowed = super().has_change_permission(request, obj)
        if not allowed or not category_scopes.can_add_row(self.model, by=by):
            return False
        return obj is None or not category_scopes.explain_scope_refusal(obj, by=by)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        by: Any = request.user
        allowed = super().has_delete_permission(request, obj)
        if not allowed or not category_scopes.can_add_row(self.model, by=by):
            return False
        return obj is None or not category_scopes.explain_scope_refusal(
            obj, by=by, is_deletion=True
        )
