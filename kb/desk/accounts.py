"""Come in and go out: everybody lands where they work, and guessers wait."""

from __future__ import annotations

import logging
from math import ceil
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from rest_framework.throttling import BaseThrottle

from kb.desk import tries
from kb.models import Reader

log = logging.getLogger(__name__)


class LoginForm(AuthenticationForm):
    """Username and password, looked at only while tries are left."""

    username = UsernameField(
        label="用户名", max_length=150, widget=forms.TextInput({"autofocus": True})
    )
    password = forms.CharField(
        label="密码",
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    error_messages = {"invalid_login": "用户名或密码不对，请检查后重试。"}
    wait = 0  # seconds until the next try

    def clean(self) -> dict[str, Any]:
        if self.errors:
            return self.cleaned_data
        username = self.cleaned_data["username"]
        address = _address(self.request) if self.request else ""
        counted = tries.counters(username=username, address=address)
        self.wait = tries.take(counted)
        if self.wait:
            log.warning("login: %s has to wait", address)
            minutes = ceil(self.wait / 60)
            raise ValidationError(f"登录失败次数过多，请 {minutes} 分钟后再试。")
        cleaned = super().clean()
        tries.forgive(counted)
        return cleaned


class Login(LoginView):
    template_name = "desk/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        return workplace(self.request.user)

    def form_valid(self, form: Any) -> HttpResponse:
        log.info("login: user %s from %s", form.get_user().pk, _address(self.request))
        return super().form_valid(form)

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)
        if form.wait:
            response.status_code = 429
            response.headers["Retry-After"] = str(form.wait)
        elif form.non_field_errors():
            log.info("login: wrong password from %s", _address(self.request))
        return response


class Logout(LogoutView):
    """Go, and leave nothing of a customer in the browser."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


def workplace(user: Reader) -> str:
    """Return the address where `user` works."""
    if user.has_perm("kb.triage_question"):
        return resolve_url("desk:inbox")
    reads = user.is_authenticated and user.reads_library
    return resolve_url("console:home" if reads else "faq:home")


def _address(request: HttpRequest) -> str:
    """Return the client's address, by the rule of proxies that the API keeps."""
    return BaseThrottle().get_ident(request)  # type: ignore[arg-type]
