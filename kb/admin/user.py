"""People: what each may do hangs on the groups, and only root makes root."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import admin as auth
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from kb.admin.base import Curation
from kb.models import User

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(Curation, auth.GroupAdmin):  # type: ignore[misc]
    pass


@admin.register(User)
class UserAdmin(Curation, auth.UserAdmin):  # type: ignore[type-arg]
    list_display = [
        "username",
        "name",
        "team",
        "in_groups",
        "is_staff",
        "is_active",
        "last_login",
    ]
    list_filter = ["team", "groups", "is_staff", "is_active"]
    search_fields = ["username", "name", "email"]
    ordering = ["username"]
    filter_horizontal = ["groups"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("个人", {"fields": ["name", "email", "team"]}),
        ("权限", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("日期", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (
            None,
            {
                "fields": [
                    "username",
                    "name",
                    "team",
                    "password1",
                    "password2",
                ]
            },
        ),
        ("权限", {"fields": ["is_staff", "groups"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("team")
        return rows.prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else [*fields, "is_superuser"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._dares(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._dares(request, obj) and super().has_delete_permission(request, obj)

    def _dares(self, request: HttpRequest, obj: User | None) -> bool:
        return obj is None or not obj.is_superuser or request.user.is_superuser

    @admin.display(description="组")
    def in_groups(self, user: User) -> str:
        return "、".join(group.name for group in user.groups.all())
