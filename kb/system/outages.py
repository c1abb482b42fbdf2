"""Responses 503 with the reason, if a disk or the database fails.

An error of the program stays a 500. The values of a submitted form are returned in a
form that can be sent again, without passwords and with a new CSRF token.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy
from django.views.defaults import server_error

from kb.system.database.errors import OutageReason, find_outage_reason

LOG_PAUSE_SECONDS = 60.0  # between two log lines about the same reason
MAX_TEXTAREA_ROWS = 8
CSRF_FIELD = "csrfmiddlewaretoken"
TYPED_FIELDS = frozenset({"username", "contact", "q"})
FIRST_HAN = "\u2e80"  # first character of the East Asian scripts
SECRET_FIELD_PART = "password"  # noqa: S105 - part of the names of secret fields
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outage:
    """The message for a reason, and the seconds after which to try again."""

    sentence: Promise | str
    retry_seconds: int


OUTAGES_BY_REASON = {
    OutageReason.DISK_FULL: Outage(lazy("服务器的磁盘已满，暂时不能保存。"), 60),
    OutageReason.BUSY: Outage(lazy("数据库正忙，这次没有完成。"), 5),
    OutageReason.READ_ONLY: Outage(lazy("数据库现在只读，暂时不能保存。"), 60),
    OutageReason.UNREACHABLE: Outage(lazy("数据库连不上，请稍后再试。"), 10),
    OutageReason.REPLACED: Outage(
        lazy("数据库文件被移走或换过，要等管理员重启网站。"), 60
    ),
    OutageReason.DAMAGED: Outage(lazy("数据库文件损坏，要等管理员修复。"), 60),
    OutageReason.OUTDATED: Outage(lazy("网站还没有升级完，请稍后再试。"), 60),
}


# Database errors that occurred in this request while constraints were checked. Django
# reports a check that failed as a violated constraint.
_swallowed_errors: ContextVar[tuple[Exception, ...]] = ContextVar(
    "unchecked", default=()
)


class OutageMiddleware:
    """Turns errors of views into responses 503. It comes after the CSRF middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _swallowed_errors.set(())
        try:
            response = self.get_response(request)
            for error in _swallowed_errors.get():
                return make_outage_response(request, error) or response
            return response
        finally:
            _swallowed_errors.reset(token)

    def process_view(self, request: Any, *_: Any) -> None:
        request.is_accepted = True  # the CSRF check has passed

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        return make_outage_response(request, error)


def handle_server_error(request: HttpRequest) -> HttpResponse:
    """Respond to an error of a middleware, as Django's `handler500`."""
    error = sys.exc_info()[1]
    response = (
        make_outage_response(request, error) if isinstance(error, Exception) else None
    )
    return response or server_error(request)


def make_outage_response(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Return a response 503 for an outage; None for an error of the program."""
    reason = find_outage_reason(error)
    if reason is None:
        return None
    request.outage = reason  # type: ignore[attr-defined]
    outage_log.log_outage(reason, error, request)
    outage = OUTAGES_BY_REASON[reason]
    respond = _make_json_response if _wants_json(request) else _render_outage_page
    response = respond(request, reason, outage)
    response.headers["Retry-After"] = str(outage.retry_seconds)
    add_never_cache_headers(response)
    return response


def get_reason_sentence(error: Exception) -> str:
    """Return the message for an outage; "" for an error of the program."""
    reason = find_outage_reason(error)
    return str(OUTAGES_BY_REASON[reason].sentence) if reason else ""


def _wants_json(request: HttpRequest) -> bool:
    """Return whether a client of the API or a script of our pages sent the request."""
    if request.path_info.startswith("/api/"):
        return True
    if request.headers.get("Sec-Fetch-Dest", "document") == "empty":
        return True
    accepted = request.headers.get("Accept", "text/html")
    return "json" in accepted and "html" not in accepted


def _make_json_response(
    request: HttpRequest, reason: OutageReason, outage: Outage
) -> HttpResponse:
    sentence = str(outage.sentence)
    data = {"detail": sentence, "error": sentence, "code": reason.value}
    return JsonResponse(data | {"retry_after": outage.retry_seconds}, status=503)


def _render_outage_page(
    request: HttpRequest, reason: OutageReason, outage: Outage
) -> HttpResponse:
    """Return the page of an outage, rendered without the request.

    Context processors would query the database.
    """
    context = {
        "sentence": outage.sentence,
        "seconds": outage.retry_seconds,
        "address": request.get_full_path(),
        "form": _make_resend_form(request),
    }
    return HttpResponse(render_to_string("503.html", context), status=503)


# Submitted values ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SentField:
    """A submitted field. `kind` is text, hidden, password or file."""

    name: str
    value: str
    kind: str

    @property
    def textarea_rows(self) -> int:
        """Number of lines of its textarea."""
        return min(
            MAX_TEXTAREA_ROWS, 1 + self.value.count("\n") + len(self.value) // 40
        )


def _make_resend_form(request: Any) -> dict[str, Any] | None:
    """Return the context of the form that sends the values again; None without one.

    Only for forms of our own pages: values from other sites must not be sent again.
    """
    accepted = getattr(request, "is_accepted", False)
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method != "POST" or not accepted or site != "same-origin":
        return None
    try:
        fields = [*_iter_sent_fields(request.POST), *_iter_sent_files(request.FILES)]
    except Exception:  # noqa: BLE001 - an unreadable body may raise any error
        return None
    token = get_token(request) if CSRF_FIELD in request.POST else ""
    return {"fields": fields, "token": token, "has_files": bool(request.FILES)}


def _iter_sent_fields(sent: Any) -> Iterator[SentField]:
    for name, values in sent.lists():
        if name == CSRF_FIELD:
            continue
        if SECRET_FIELD_PART in name.lower():
            yield SentField(name, "", "password")
            continue
        for value in values:
            is_typed = name in TYPED_FIELDS or _is_prose(value)
            yield SentField(name, value, "text" if is_typed else "hidden")


def _iter_sent_files(sent: Any) -> Iterator[SentField]:
    for name, files in sent.lists():
        yield SentField(name, "、".join(str(file.name) for file in files), "file")


def _is_prose(value: str) -> bool:
    """Return whether a person typed the value; ids and choices are no prose."""
    return any(c.isspace() or c == "@" or c >= FIRST_HAN for c in value)


# The log --------------------------------------------------------------------------


class OutageLog:
    """Logs each reason at most once in LOG_PAUSE_SECONDS, with the number left out."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._written: dict[OutageReason, float] = {}
        self._silent: dict[OutageReason, int] = {}

    def log_outage(
        self, reason: OutageReason, error: Exception, request: HttpRequest
    ) -> None:
        now = monotonic()
        with self._lock:
            if now - self._written.get(reason, -LOG_PAUSE_SECONDS) < LOG_PAUSE_SECONDS:
                self._silent[reason] = self._silent.get(reason, 0) + 1
                return
            self._written[reason] = now
            silent = self._silent.pop(reason, 0)
        logger.error(
            "%s: %s at %s %s (%d more since the last line)",
            *(reason.value, " ".join(str(error).split())),
            *(request.method, request.path, silent),
        )

    def clear(self) -> None:
        with self._lock:
            self._written.clear()
            self._silent.clear()


outage_log = OutageLog()


def install_log_filters() -> None:
    """Remove outages from Django's logs, and collect the errors that Django swallows."""
    logging.getLogger("django.request").addFilter(_is_program_error)
    logging.getLogger("django.db.models").addFilter(_keep_swallowed_error)


def _is_program_error(record: logging.LogRecord) -> bool:
    return getattr(getattr(record, "request", None), "outage", None) is None


def _keep_swallowed_error(record: logging.LogRecord) -> bool:
    """Remember a database error that Q.check logs; return whether to log it as well."""
    args = record.args if isinstance(record.args, tuple) else ()
    errors = [value for value in args if isinstance(value, DatabaseError)]
    outages = [error for error in errors if find_outage_reason(error)]
    _swallowed_errors.set((*_swallowed_errors.get(), *outages))
    return not outages
