"""职责范围: the categories of a user or a group, on the forms of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from kb.admin.autocomplete_lookup import AutocompleteMixin
from kb.admin.base_admin import ConstraintCheckingForm
from kb.models import CategoryPermission

if TYPE_CHECKING:
    PermissionInlineBase = admin.TabularInline[CategoryPermission, Any]
else:
    PermissionInlineBase = admin.TabularInline


class CategoryPermissionInline(AutocompleteMixin, PermissionInlineBase):
    """The categories to which a right of a person, or of a group, is restricted."""

    model = CategoryPermission
    form = ConstraintCheckingForm
    fields = ["right", "category"]
    extra = 0
    max_num = 50
    verbose_name_plural = "职责范围：不填就是所有分类"

    # People who may change the user or the group may change its categories.

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(f"auth.change_{self._parent_model_name}") or (
            request.user.has_perm(f"kb.change_{self._parent_model_name}")
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    @property
    def _parent_model_name(self) -> str:
        return str(self.parent_model._meta.model_name)
