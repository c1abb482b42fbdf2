"""用户: users; groups give permissions, and only superusers make superusers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import admin as auth
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from kb.admin.base_admin import BaseAdmin, render_yes_no_badge
from kb.admin.category_permission import CategoryPermissionInline
from kb.admin.list_filters import UsedRelationFilter
from kb.models import Entry, User

if TYPE_CHECKING:
    PasswordFormBase = AdminPasswordChangeForm[User]
else:
    PasswordFormBase = AdminPasswordChangeForm

NAME_SEARCH_FIELDS = ["username", "name"]


class UserPasswordForm(PasswordFormBase):
    """A password that somebody else sets; the user must choose another."""

    # Django's own text ends with a sentence that is not translated.
    usable_password_help_text = (
        "禁用以后，这个账号不能再用密码登录。"  # noqa: S105 - a hint
        '<ul id="id_unusable_warning" class="messagelist">'
        '<li class="warning">现在的密码会作废。</li></ul>'
    )

    def save(self, commit: bool = True) -> User:
        """Let the user choose another password at the next login."""
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
        "is_active",
    ]
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
        if not change:  # the first password is known to the person who set it
            obj.must_change_password = True
        super().save_model(request, obj, form, change)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """A password that people set for themselves need not be changed."""
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and str(request.user.pk) == id:
            User.objects.filter(pk=int(id)).update(must_change_password=False)
        return response

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """People who may not view users find them by name only, not by email."""
        return (
            self.search_fields
            if self.has_view_permission(request)
            else NAME_SEARCH_FIELDS
        )

    def filter_choices(self, rows: Any, field: Any, request: HttpRequest) -> Any:
        """Return active users; for the owner of an entry only staff."""
        active = rows.filter(is_active=True)
        return active.filter(is_staff=True) if field.model is Entry else active

    def get_choice_label(self, row: User) -> str:
        return f"{row.name}（{row.username}）" if row.name else row.username

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """A user gets categories only after being saved once."""
        return [CategoryPermissionInline] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("team")
        return rows.prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else [*fields, "is_superuser"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._can_edit_user(request, obj) and super().has_change_permission(
            request, obj
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._can_edit_user(request, obj) and super().has_delete_permission(
            request, obj
        )

    def _can_edit_user(self, request: HttpRequest, obj: User | None) -> bool:
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
