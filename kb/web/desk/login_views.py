"""Log in, log out and change passwords; a login leads to one's place of work."""

from __future__ import annotations

import logging
import time
from math import ceil
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.views import (
    LoginView,
    LogoutView,
    PasswordChangeView,
    redirect_to_login,
)
from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from kb.accounts import login_throttle
from kb.accounts.login_throttle import LoginAttempt, TooManyAttemptsError
from kb.accounts.passwords import (
    ChangePasswordForm,
    NewPasswordForm,
    find_active_user,
)
from kb.models import MAX_ANSWER_CHARS, Reader, User
from kb.questions import answers, queues
from kb.system import outages
from kb.system.client_address import get_client_address
from kb.web.desk.forms import parse_id

DEVICE_COOKIE = "known_device"  # sent to the login page alone
FIRST_PASSWORD_SESSION_KEY = "first_password"  # noqa: S105 - key in the session
FIRST_PASSWORD_SECONDS = 15 * 60  # in which a first password must be chosen
LOGIN_RETRY_SECONDS = 30  # Retry-After while attempts cannot be counted
logger = logging.getLogger(__name__)


class LoginForm(AuthenticationForm):
    """Username and password, checked only while the throttle allows an attempt."""

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
    wait_seconds = 0  # seconds until the next attempt
    status_code = 200  # of the response that shows the error

    def clean(self) -> dict[str, Any]:
        if self.errors:
            return self.cleaned_data
        username = self.cleaned_data["username"]
        try:
            attempt = _count_attempt(self.request, username)
        except TooManyAttemptsError as error:
            self.wait_seconds, self.status_code = error.seconds, 429
            raise ValidationError(_format_wait_sentence(error.seconds)) from None
        except DatabaseError as error:
            logger.warning("login: attempts cannot be counted: %s", error)
            self.wait_seconds, self.status_code = LOGIN_RETRY_SECONDS, 503
            sentence = (
                f"登录暂时不可用，请过一会儿再试。{outages.get_reason_sentence(error)}"
            )
            raise ValidationError(sentence) from None
        try:
            cleaned = super().clean()
        except ValidationError:
            login_throttle.record_failure(attempt)
            raise
        login_throttle.record_success(attempt)
        return cleaned


class StaffLoginView(LoginView):
    """The login page; it carries an answer that was posted after the session ended."""

    template_name = "desk/login/page.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Save an answer that came along, also after a login in another tab."""
        response = super().dispatch(request, *args, **kwargs)
        if request.method == "POST" and request.user.is_authenticated:
            _save_carried_answer(request, request.user)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "carried": _read_carried_answer(self.request)
        }

    def get_default_redirect_url(self) -> str:
        return get_workplace_url(self.request.user)

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        logger.info("login: user %s from %s", user.pk, get_client_address(self.request))
        if user.must_change_password:
            return _require_first_password(self.request, user, self._get_next_url())
        response = super().form_valid(form)
        _remember_device(self.request, response, user)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = form.status_code
        if form.wait_seconds:
            response.headers["Retry-After"] = str(form.wait_seconds)
        elif form.non_field_errors():
            logger.info(
                "login: wrong password from %s", get_client_address(self.request)
            )
        return response

    def _get_next_url(self) -> str:
        return str(self.get_redirect_url())


class StaffLogoutView(LogoutView):
    """Log out, and clear what the browser stored of the site."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


@method_decorator(never_cache, name="dispatch")
class ChangePasswordView(PasswordChangeView):
    """Change one's own password; all other sessions of the account end."""

    template_name = "desk/password/page.html"
    form_class = ChangePasswordForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Throttle guesses of the current password as the login does."""
        try:
            attempt = _count_attempt(request, request.user.get_username())
        except TooManyAttemptsError as error:
            empty_form = ChangePasswordForm(request.user)  # type: ignore[arg-type]
            refusal = _format_wait_sentence(error.seconds)
            context = {"form": empty_form, "refusal": refusal}
            response = render(request, self.template_name, context, status=429)
            response.headers["Retry-After"] = str(error.seconds)
            return response
        form = self.get_form()
        if form.is_valid() or "old_password" not in form.errors:
            login_throttle.record_success(attempt)
        else:
            login_throttle.record_failure(attempt)
        return self.form_valid(form) if form.is_valid() else self.form_invalid(form)

    def get_success_url(self) -> str:
        return get_workplace_url(self.request.user)

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "密码已修改，其他地方的登录都已退出。")
        return super().form_valid(form)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choose_first_password(request: HttpRequest) -> HttpResponse:
    """Choose a password at the first login, where somebody else chose the old one.

    The login is complete only after that. Until then the session holds the id of the
    user whose password was right.
    """
    pending = request.session.get(FIRST_PASSWORD_SESSION_KEY) or {}
    user = _find_pending_user(pending)
    if user is None:
        return redirect("login")
    form = NewPasswordForm(user, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(
            request, "desk/password/page.html", {"form": form, "is_first": True}
        )
    request.user = user  # the audit log names them
    form.save()
    request.session.pop(FIRST_PASSWORD_SESSION_KEY, None)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    messages.success(request, "密码已修改，下次请用新密码登录。")
    response = redirect(pending["next"] or get_workplace_url(user))
    _remember_device(request, response, user)
    return response


def redirect_to_login_with_answer(
    request: HttpRequest, *, next_url: str, question_id: int | None = None
) -> HttpResponse:
    """Send somebody who is not logged in to the login, and from there to `next_url`.

    An answer that they posted, because their session ended, is carried in hidden
    fields of the login form and becomes their draft. The server stores nothing for
    somebody who is not logged in.
    """
    if question_id is None or not request.POST.get("answer", "").strip():
        return redirect_to_login(next_url, resolve_url("login"))
    text = request.POST["answer"][:MAX_ANSWER_CHARS]
    carried = {"question": question_id, "text": text}
    context = {"form": LoginForm(request), "next": next_url, "carried": carried}
    return render(request, "desk/login/page.html", context)


def _read_carried_answer(request: HttpRequest) -> dict[str, str] | None:
    """Return the answer that was posted with the login form, if there is one."""
    text = request.POST.get("kept_text", "")[:MAX_ANSWER_CHARS]
    question = request.POST.get("kept_question", "")
    return {"question": question, "text": text} if text and question else None


def _save_carried_answer(request: HttpRequest, user: User) -> None:
    carried = _read_carried_answer(request)
    if carried is None or not user.has_perm("kb.answer_question"):
        return
    question = queues.find_question(parse_id(carried["question"]))
    if question is not None:
        answers.save_draft_text(question, by=user, text=carried["text"])


def get_workplace_url(user: Reader) -> str:
    """Return the address where `user` works."""
    if user.has_perm("kb.triage_question"):
        return resolve_url("desk:inbox")
    is_reader = user.is_authenticated and user.can_read_library
    return resolve_url("console:home" if is_reader else "faq:home")


def _count_attempt(request: HttpRequest | None, username: str) -> LoginAttempt:
    """Count an attempt before the password is checked; raises TooManyAttemptsError."""
    address = get_client_address(request) if request else ""
    device = request.COOKIES.get(DEVICE_COOKIE, "") if request else ""
    try:
        return login_throttle.start_attempt(
            username=username, address=address, device=device
        )
    except TooManyAttemptsError:
        logger.warning("login: %s has to wait", address)
        raise


def _format_wait_sentence(seconds: int) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"登录失败次数过多，请 {seconds} 秒后再试。"
    return f"登录失败次数过多，请 {ceil(seconds / 60)} 分钟后再试。"


def _remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Mark the browser as one that this account has used, for the throttle."""
    cookie = request.COOKIES.get(DEVICE_COOKIE, "")
    response.set_cookie(
        DEVICE_COOKIE,
        login_throttle.remember_device(cookie, username=user.get_username()),
        max_age=login_throttle.KNOWN_DEVICE_SECONDS,
        path=resolve_url("login"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _require_first_password(
    request: HttpRequest, user: User, next_url: str
) -> HttpResponse:
    request.session.cycle_key()
    request.session[FIRST_PASSWORD_SESSION_KEY] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "until": int(time.time()) + FIRST_PASSWORD_SECONDS,
        "next": next_url,
    }
    return redirect("first-password")


def _find_pending_user(pending: dict[str, Any]) -> User | None:
    """Return the user who must choose a password; None where it is too late.

    None as well where the password was changed since the login.
    """
    seconds_left = pending.get("until", 0) - time.time()
    if not 0 < seconds_left <= FIRST_PASSWORD_SECONDS:
        return None
    user = find_active_user(pending["user"])
    if user is None:
        return None
    is_same = constant_time_compare(pending["hash"], user.get_session_auth_hash())
    return user if is_same and user.must_change_password else None
