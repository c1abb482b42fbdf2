"""Forms for choosing a new password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth import forms as auth_forms
from django.core.exceptions import ValidationError

from kb.models import User

if TYPE_CHECKING:
    SetPasswordForm = auth_forms.SetPasswordForm[User]
    ChangeForm = auth_forms.PasswordChangeForm
else:
    SetPasswordForm = auth_forms.SetPasswordForm
    ChangeForm = auth_forms.PasswordChangeForm
MAX_PASSWORD_CHARS = 1024


class NewPasswordForm(SetPasswordForm):
    """A new password, typed twice. It must differ from the current one."""

    error_messages = {
        "password_mismatch": "两次填的新密码不一样，请重新填写。",
    }

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        for name, label in (
            ("new_password1", "新密码"),
            ("new_password2", "再填一次新密码"),
        ):
            field = self.fields[name]
            field.label = label
            field.help_text = ""
            field.max_length = MAX_PASSWORD_CHARS  # type: ignore[attr-defined]
            field.error_messages["required"] = f"请填写{label}。"

    def clean_new_password1(self) -> str:
        password = str(self.cleaned_data["new_password1"])
        if len(password) > MAX_PASSWORD_CHARS:
            raise ValidationError(f"密码最多 {MAX_PASSWORD_CHARS} 个字符。")
        if self.user.check_password(password):
            raise ValidationError("新密码不能和现在的密码一样。")
        return password

    def save(self, commit: bool = True) -> User:
        self.user.must_change_password = False
        return super().save(commit)


class ChangePasswordForm(NewPasswordForm, ChangeForm):
    """The current password and a new one."""

    error_messages = {
        **NewPasswordForm.error_messages,
        "password_incorrect": "当前密码不对，请重新填写。",
    }

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["old_password"] = forms.CharField(
            label="当前密码",
            max_length=MAX_PASSWORD_CHARS,
            strip=False,
            widget=forms.PasswordInput(
                {"autocomplete": "current-password", "autofocus": True}
            ),
            error_messages={"required": "请填写当前密码。"},
        )
        self.order_fields(["old_password", "new_password1", "new_password2"])


def find_active_user(pk: int) -> User | None:
    return User.objects.filter(pk=pk, is_active=True).first()
