"""People: what each may do hangs on the groups, and only root makes root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import admin as auth
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from kb.admin.autocomplete_lookup import AutocompleteMixin
from kb.admin.base_admin import BaseAdmin, ConstraintCheckingForm, render_yes_no_badge
from kb.admin.group_permissions import (
    GroupForm,
    PermissionsField,
    query_assignable_permissions,
)
from kb.admin.list_filters import UsedRelationFilter
from kb.models import CategoryPermission, Entry, User

if TYPE_CHECKING:
    PermissionInlineBase = admin.TabularInline[CategoryPermission, Any]
    PasswordFormBase = AdminPasswordChangeForm[User]
else:
    PermissionInlineBase, PasswordFormBase = (
        admin.TabularInline,
        AdminPasswordChangeForm,
    )

NAME_SEARCH_FIELDS = ["username", "name"]
admin.site.unregister(Group)


class CategoryPermissionInline(AutocompleteMixin, PermissionInlineBase):
    """Where a person, or everybody of a group, is held to branches of the tree."""

    model = CategoryPermission
    form = ConstraintCheckingForm
    fields = ["right", "category"]
    extra = 0
    max_num = 50
    verbose_name_plural = "职责范围：不填就是所有分类"

    # Who may change a person or a group may change its remit, and only he.

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


@admin.register(Group)
class GroupAdmin(BaseAdmin, auth.GroupAdmin):
    form = GroupForm
    inlines = [CategoryPermissionInline]

    def formfield_for_manytomany(  # type: ignore[override]
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        named = db_field.verbose_name
        return PermissionsField(
            query_assignable_permissions(self.admin_site), required=False, label=named
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A group that people are in stays: they would lose what they may do."""
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        people = User.objects.filter(groups__in=list(objs)).distinct()
        return found, counts, lacking, [*protected, *(f"用户：{one}" for one in people)]


class UserPasswordForm(PasswordFormBase):
    # Django's own ends with a sentence that is English in every language.
    usable_password_help_text = (
        "禁用以后，这个账号不能再用密码登录。"  # noqa: S105 - a hint
        '<ul id="id_unusable_warning" class="messagelist">'
        '<li class="warning">现在的密码会作废。</li></ul>'
    )

    def save(self, commit: bool = True) -> User:
        """Have the account's owner choose a password that nobody else knows."""
        self.user.must_change_password = True
        return super().save(commit)


@admin.register(User)
class UserAdmin(BaseAdmin, auth.UserAdmin):  # type: ignore[type-arg]
    list_display = [
        "username",
        "name",
        "team",
        "group_names",
        "staff_badge",
        "active_badge",
        "last_login",
    ]
    list_filter = [
        ("team", UsedRelationFilter),
        ("groups", UsedRelationFilter),
        "is_staff",
    ]
    list_filter += ["is_active"]
    search_fields = [*NAME_SEARCH_FIELDS, "email"]
    change_password_form = UserPasswordForm
    ordering = ["username"]
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

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        if not change:  # its first password is known to who makes the account
            obj.must_change_password = True
        super().save_model(request, obj, form, change)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Who sets a password for himself has chosen it himself."""
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and str(request.user.pk) == id:
            own = User.objects.filter(pk=int(id))
            own.update(must_change_password=False)
        return response

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Who only names somebody for a task finds nobody by his address."""
        return (
            self.search_fields
            if self.has_view_permission(request)
            else NAME_SEARCH_FIELDS
        )

    def filter_choices(self, rows: Any, field: Any, request: HttpRequest) -> Any:
        """Offer who is here; for an entry those who may come in and mend it."""
        here = rows.filter(is_active=True)
        return here.filter(is_staff=True) if field.model is Entry else here

    def get_choice_label(self, row: User) -> str:
        return f"{row.name}（{row.username}）" if row.name else row.username

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Who is only being made has no remit yet."""
        return [CategoryPermissionInline] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("team")
        return rows.prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else [*fields, "is_superuser"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._can_edit_account(request, obj) and super().has_change_permission(
            request, obj
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._can_edit_account(request, obj) and super().has_delete_permission(
            request, obj
        )

    def _can_edit_account(self, request: HttpRequest, obj: User | None) -> bool:
        return obj is None or not obj.is_superuser or request.user.is_superuser

    @admin.display(description="可进后台", ordering="is_staff")
    def staff_badge(self, user: User) -> SafeString:
        return render_yes_no_badge(user.is_staff)

    @admin.display(description="启用", ordering="is_active")
    def active_badge(self, user: User) -> SafeString:
        return render_yes_no_badge(user.is_active)

    @admin.display(description="组")
    def group_names(self, user: User) -> str:
        return "、".join(group.name for group in user.groups.all())
