"""503 with the reason and with what was typed, where a disk or a database fails.

A fault of the program stays a 500. What is sent by a form comes back in a form that
can be sent again; passwords and CSRF tokens do not.
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

LOG_PAUSE_SECONDS = 60.0  # between two lines about the same reason
MAX_TEXTAREA_ROWS = 8
CSRF_FIELD = "csrfmiddlewaretoken"
TYPED_FIELDS = frozenset({"username", "contact", "q"})
FIRST_HAN = "\u2e80"  # where the scripts of East Asia begin
SECRET_FIELD_PART = "password"  # noqa: S105 - what the names of secret fields hold
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outage:
    """What is said of a reason, and after how many seconds to try again."""

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


# Errors of the database that a check of constraints met in this request. Django takes
# a check that failed for a check that found a duplicate, and so would the reader.
_swallowed_errors: ContextVar[tuple[Exception, ...]] = ContextVar(
    "unchecked", default=()
)


class OutageMiddleware:
    """Answers what a view raised; stands behind the CSRF check."""

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
        request.is_accepted = True  # the CSRF check, which comes before, let it pass

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        return make_outage_response(request, error)


def handle_server_error(request: HttpRequest) -> HttpResponse:
    """Answer what a middleware raised, as Django's `handler500`."""
    error = sys.exc_info()[1]
    response = (
        make_outage_response(request, error) if isinstance(error, Exception) else None
    )
    return response or server_error(request)


def make_outage_response(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Return a 503 for an outage; None for a fault of the program."""
    reason = find_outage_reason(error)
    if reason is None:
        return None
    request.outage = reason  # type: ignore[attr-defined]
    outage_log.log_outage(reason, error, request)
    outage = OUTAGES_BY_REASON[reason]
    make = _make_json_response if _wants_json(request) else _render_outage_page
    response = make(request, reason, outage)
    response.headers["Retry-After"] = str(outage.retry_seconds)
    add_never_cache_headers(response)
    return response


def get_reason_sentence(error: Exception) -> str:
    """Return what is said of an outage; empty for a fault of the program."""
    reason = find_outage_reason(error)
    return str(OUTAGES_BY_REASON[reason].sentence) if reason else ""


def _wants_json(request: HttpRequest) -> bool:
    """Tell whether a program asks: the API's clients and our own scripts."""
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
    told = {"detail": sentence, "error": sentence, "code": reason.value}
    return JsonResponse(told | {"retry_after": outage.retry_seconds}, status=503)


def _render_outage_page(
    request: HttpRequest, reason: OutageReason, outage: Outage
) -> HttpResponse:
    """Without the request: a page that knows it would ask the database."""
    context = {
        "sentence": outage.sentence,
        "seconds": outage.retry_seconds,
        "address": request.get_full_path(),
        "form": _make_resend_form(request),
    }
    return HttpResponse(render_to_string("503.html", context), status=503)


# What was typed ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SentField:
    """A field that was sent. `kind` is text, hidden, password or file."""

    name: str
    value: str
    kind: str

    @property
    def textarea_rows(self) -> int:
        """Lines that its box shows."""
        return min(
            MAX_TEXTAREA_ROWS, 1 + self.value.count("\n") + len(self.value) // 40
        )


def _make_resend_form(request: Any) -> dict[str, Any] | None:
    """Return what the form needs to be sent again; None where none was sent.

    Only what our own pages sent: what another site sent must not be sent by us.
    """
    accepted = getattr(request, "is_accepted", False)
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method != "POST" or not accepted or site != "same-origin":
        return None
    try:
        fields = [*_iter_sent_fields(request.POST), *_iter_sent_files(request.FILES)]
    except Exception:  # noqa: BLE001 - a body that cannot be read has many ways to say so
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
        yield SentField(name, "、".join(str(one.name) for one in files), "file")


def _is_prose(value: str) -> bool:
    """Tell whether a person typed it: a mark or a number is no prose."""
    return any(c.isspace() or c == "@" or c >= FIRST_HAN for c in value)


# The log --------------------------------------------------------------------------


class OutageLog:
    """One line a minute for each reason, and how many were left out."""

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
    """Leave outages in Django's logs to our own line, and learn what it swallows."""
    logging.getLogger("django.request").addFilter(_is_no_outage)
    logging.getLogger("django.db.models").addFilter(_keep_swallowed_error)


def _is_no_outage(record: logging.LogRecord) -> bool:
    return getattr(getattr(record, "request", None), "outage", None) is None


def _keep_swallowed_error(record: logging.LogRecord) -> bool:
    """Keep the error that Q.check logs; tell whether the line is still wanted."""
    args = record.args if isinstance(record.args, tuple) else ()
    errors = [one for one in args if isinstance(one, DatabaseError)]
    outages = [one for one in errors if find_outage_reason(one)]
    _swallowed_errors.set((*_swallowed_errors.get(), *outages))
    return not outages
