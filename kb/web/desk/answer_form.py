"""What the pages of open and of answered questions have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from kb.models import MAX_ANSWER_CHARS, Question
from kb.questions import answers
from kb.web.desk.access import StaffRequest, View
from kb.web.desk.forms import MultiLineField, make_id_field
from kb.web.desk.login_views import redirect_to_login_with_answer

ANSWER_PERMISSION = "kb.answer_question"


class AnswerForm(forms.Form):
    """An answer, and the entry whose text was used for it.

    The question may be merged into that entry when the answer is sent.
    """

    answer = MultiLineField(
        label="回复",
        max_length=MAX_ANSWER_CHARS,
        error_messages={"required": "请写下回复，或先填入下面条目的答案。"},
    )
    entry = make_id_field()


def answer_permission_required(view: View) -> View:
    """Let only those into `view` who may answer questions.

    Where the session has ended, an answer that was posted is kept through the login.
    """
    allowed: Callable[..., HttpResponse] = permission_required(
        ANSWER_PERMISSION, raise_exception=True
    )(view)

    @wraps(view)
    def wrapped_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return allowed(request, *args, **kwargs)
        if request.method in {"GET", "HEAD"} or "pk" not in kwargs:
            return redirect_to_login_with_answer(
                request, next_url=request.get_full_path()
            )
        pk = kwargs["pk"]
        return redirect_to_login_with_answer(
            request, next_url=make_question_url(pk), question_id=pk
        )

    return never_cache(wrapped_view)


def read_typed_answer(request: HttpRequest) -> str:
    """Return the posted answer, cut to MAX_ANSWER_CHARS; "" where there is none."""
    text = str(MultiLineField(required=False).clean(request.POST.get("answer", "")))
    return text[:MAX_ANSWER_CHARS]


def is_recorded_question(question: Question) -> bool:
    """Return whether the question was recorded or imported: no customer gets the answer."""
    return not hasattr(question, "inquiry")


def make_question_url(pk: int, *, is_record: bool = False) -> str:
    page = "desk:recorded" if is_record else "desk:asked"
    return f"{reverse(page)}?{urlencode({'question': pk})}"


def make_recall_context(request: StaffRequest) -> dict[str, Any]:
    """Return {"recallable": [(answer version that may be taken back, seconds left)]}."""
    now = timezone.now()
    versions = list(answers.list_recallable_versions(request.user))
    seconds = [
        int((answers.get_recall_deadline(version) - now).total_seconds())
        for version in versions
    ]
    return {"recallable": list(zip(versions, seconds, strict=True))}
