"""What the pages of open and of answered questions have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django import forms as fields
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from kb.models import MAX_ANSWER_CHARS, Question
from kb.questions import answers
from kb.web.desk.forms import MAX_ID, MultiLineField
from kb.web.desk.inbox import StaffRequest, View
from kb.web.desk.login_views import MAX_ID_DIGITS, send_to_login

ANSWER_PERMISSION = "kb.answer_question"


class AnswerForm(fields.Form):
    """`entry` is the entry whose text was used, to which the question may count."""

    answer = MultiLineField(
        label="回复",
        max_length=MAX_ANSWER_CHARS,
        error_messages={"required": "请写下回复，或先填入下面条目的答案。"},
    )
    entry = fields.IntegerField(required=False, min_value=1, max_value=MAX_ID)


def answer_permission_required(view: View) -> View:
    """Let only those into `view` who may answer; keep what others sent for the login."""
    allowed: Callable[..., HttpResponse] = permission_required(
        ANSWER_PERMISSION, raise_exception=True
    )(view)

    @wraps(view)
    def wrapped_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return allowed(request, *args, **kwargs)
        if request.method in {"GET", "HEAD"} or "pk" not in kwargs:
            return send_to_login(request, where=request.get_full_path())
        pk = kwargs["pk"]
        where = get_question_url(pk)
        return send_to_login(request, where=where, question=pk)

    return never_cache(wrapped_view)


def read_typed_answer(request: HttpRequest) -> str:
    """Return what was typed into the box, however long it is."""
    text = str(MultiLineField(required=False).clean(request.POST.get("answer", "")))
    return text[:MAX_ANSWER_CHARS]


def parse_id(sent: str) -> int:
    """Return an id that was sent, or 0, which no row has."""
    is_id = sent.isascii() and sent.isdecimal() and len(sent) <= MAX_ID_DIGITS
    return int(sent) if is_id else 0


def is_recorded_question(question: Question) -> bool:
    """Tell whether nobody reads the answer: it was recorded or imported, not asked here."""
    return not hasattr(question, "inquiry")


def get_question_url(pk: int, *, is_record: bool = False) -> str:
    page = "desk:recorded" if is_record else "desk:asked"
    return f"{reverse(page)}?{urlencode({'question': pk})}"


def make_take_back_context(request: StaffRequest) -> dict[str, Any]:
    """Return what the reader may still take back, with the seconds left for it."""
    now = timezone.now()
    held = list(answers.list_recallable_versions(request.user))
    seconds = [
        int((answers.get_recall_deadline(version) - now).total_seconds())
        for version in held
    ]
    return {"held": list(zip(held, seconds, strict=True))}
