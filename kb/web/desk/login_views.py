"""Log in, log out, and choose a password: everybody lands where they work."""

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
from kb.accounts.passwords import ChangePasswordForm, NewPasswordForm
from kb.models import MAX_ANSWER_CHARS, Question, Reader, User
from kb.questions import answers
from kb.system import outages
from kb.system.client_address import get_client_address

DEVICE_COOKIE = "known_device"  # sent to the login page alone
FIRST_PASSWORD_SESSION_KEY = "first_password"  # noqa: S105 - key in the session
FIRST_PASSWORD_SECONDS = 15 * 60  # for which a login waits for a new password
LOGIN_RETRY_SECONDS = 30  # after which to try again when nothing can be counted
MAX_ID_DIGITS = 18  # what fits into every database
logger = logging.getLogger(__name__)


class LoginForm(AuthenticationForm):
    """Username and password, looked at only while attempts are left."""

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
    status_code = 200  # of the answer that says what was wrong

    def clean(self) -> dict[str, Any]:
        if self.errors:
            return self.cleaned_data
        username = self.cleaned_data["username"]
        try:
            attempt = _count_attempt(self.request, username)
        except TooManyAttemptsError as refused:
            self.wait_seconds, self.status_code = refused.seconds, 429
            raise ValidationError(_format_wait_sentence(refused.seconds)) from None
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
    template_name = "desk/login/page.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Keep a text that came along, also for who has logged in elsewhere meanwhile."""
        response = super().dispatch(request, *args, **kwargs)
        if request.method == "POST" and request.user.is_authenticated:
            _save_kept_text(request, request.user)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "kept": _read_kept_text(self.request)
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
    """Go, and leave nothing of a customer in the browser."""

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
        """Count the current password as the login does: it may be guessed here too."""
        try:
            attempt = _count_attempt(request, request.user.get_username())
        except TooManyAttemptsError as refused:
            empty = ChangePasswordForm(request.user)  # type: ignore[arg-type]
            context = {"form": empty, "refused": _format_wait_sentence(refused.seconds)}
            response = render(request, self.template_name, context, status=429)
            response.headers["Retry-After"] = str(refused.seconds)
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

    Nobody is logged in before that: the session only holds whose password was right.
    """
    waiting = request.session.get(FIRST_PASSWORD_SESSION_KEY) or {}
    user = _find_waiting_user(waiting)
    if user is None:
        return redirect("login")
    form = NewPasswordForm(user, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(
            request, "desk/password/page.html", {"form": form, "is_first": True}
        )
    request.user = user  # whom the audit log names
    form.save()
    request.session.pop(FIRST_PASSWORD_SESSION_KEY, None)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    messages.success(request, "密码已修改，下次请用新密码登录。")
    response = redirect(waiting["next"] or get_workplace_url(user))
    _remember_device(request, response, user)
    return response


def send_to_login(
    request: HttpRequest, *, where: str, question: int | None = None
) -> HttpResponse:
    """Send a stranger to the login, and from there to `where`.

    The answer to `question` that they sent, as one does whose session has ended,
    stands in the form of the login and becomes a draft of theirs. The server keeps
    nothing for a stranger.
    """
    if question is None or not request.POST.get("answer", "").strip():
        return redirect_to_login(where, resolve_url("login"))
    kept = {"question": question, "text": request.POST["answer"][:MAX_ANSWER_CHARS]}
    context = {"form": LoginForm(request), "next": where, "kept": kept}
    return render(request, "desk/login/page.html", context)


def _read_kept_text(request: HttpRequest) -> dict[str, str] | None:
    """Return the text that came along with the form of the login."""
    text = request.POST.get("kept_text", "")[:MAX_ANSWER_CHARS]
    question = request.POST.get("kept_question", "")
    return {"question": question, "text": text} if text and question else None


def _save_kept_text(request: HttpRequest, user: User) -> None:
    kept = _read_kept_text(request)
    if kept is None or not user.has_perm("kb.answer_question"):
        return
    number = kept["question"]
    if number.isascii() and number.isdecimal() and len(number) <= MAX_ID_DIGITS:
        question = Question.objects.filter(pk=int(number)).first()
        if question is not None:
            answers.save_draft_text(question, by=user, text=kept["text"])


def get_workplace_url(user: Reader) -> str:
    """Return the address where `user` works."""
    if user.has_perm("kb.triage_question"):
        return resolve_url("desk:inbox")
    reads = user.is_authenticated and user.can_read_library
    return resolve_url("console:home" if reads else "faq:home")


def _count_attempt(request: HttpRequest | None, username: str) -> LoginAttempt:
    """Count a password that is about to be checked; raises TooManyAttempts."""
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
    """Let the browser show at its next login that it was used for this account."""
    known = request.COOKIES.get(DEVICE_COOKIE, "")
    response.set_cookie(
        DEVICE_COOKIE,
        login_throttle.remember_device(known, username=user.get_username()),
        max_age=login_throttle.KNOWN_DEVICE_SECONDS,
        path=resolve_url("login"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _require_first_password(
    request: HttpRequest, user: User, where: str
) -> HttpResponse:
    request.session.cycle_key()
    request.session[FIRST_PASSWORD_SESSION_KEY] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "until": int(time.time()) + FIRST_PASSWORD_SECONDS,
        "next": where,
    }
    return redirect("first-password")


def _find_waiting_user(waiting: dict[str, Any]) -> User | None:
    """Return whose password is to be chosen, unless too late or changed meanwhile."""
    left = waiting.get("until", 0) - time.time()
    if not 0 < left <= FIRST_PASSWORD_SECONDS:
        return None
    user = User.objects.filter(pk=waiting["user"], is_active=True).first()
    if user is None:
        return None
    same = constant_time_compare(waiting["hash"], user.get_session_auth_hash())
    return user if same and user.must_change_password else None
