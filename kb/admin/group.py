"""组: groups with their permissions and categories."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import admin as auth
from django.contrib.auth.models import Group
from django.http import HttpRequest

from kb.admin.base_admin import BaseAdmin
from kb.admin.category_permission import CategoryPermissionInline
from kb.admin.group_permissions import (
    GroupForm,
    PermissionsField,
    query_assignable_permissions,
)
from kb.models import User

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(BaseAdmin, auth.GroupAdmin):
    form = GroupForm
    inlines = [CategoryPermissionInline]

    def formfield_for_manytomany(  # type: ignore[override]
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        return PermissionsField(
            query_assignable_permissions(self.admin_site),
            required=False,
            label=db_field.verbose_name,
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return the members of a group as what protects it: they would lose rights."""
        deleted, counts, missing_perms, protected = super().get_deleted_objects(
            objs, request
        )
        users = User.objects.filter(groups__in=list(objs)).distinct()
        members = [f"用户：{user}" for user in users]
        return deleted, counts, missing_perms, [*protected, *members]
