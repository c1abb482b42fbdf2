"""记一条 (Alt+N): record a customer's question that has no entry yet in the inbox."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from kb.library import taxonomy
from kb.models import Channel, Question, User
from kb.questions import intake
from kb.text.chinese import normalize
from kb.web.console.forms import (
    MAX_CONSOLE_QUERY_CHARS,
    MultiLineField,
    SingleLineField,
)
from kb.web.console.responses import make_text_response
from kb.web.console.views import get_agent

CAPTURE_SOURCE = "console"
MAX_QUESTION_CHARS, MAX_ANSWER_CHARS = 2000, 10_000


class CaptureForm(forms.Form):
    """A customer's question; `q` is the search that the agent goes back to."""

    text = MultiLineField(
        label="客户的话",
        max_length=MAX_QUESTION_CHARS,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": "请写下客户问了什么。"},
    )
    answer = MultiLineField(
        label="我的回答",
        required=False,
        max_length=MAX_ANSWER_CHARS,
        widget=forms.Textarea({"rows": 4}),
        help_text="还没有答案就空着，记为待回答。",
    )
    channel = forms.ChoiceField(label="渠道", choices=Channel.choices)
    segment = forms.ModelChoiceField(
        taxonomy.query_customer_segments(),
        label="客户类型",
        required=False,
        to_field_name="name",
        empty_label="不确定",
    )
    module = forms.ModelChoiceField(
        taxonomy.query_modules(),
        label="产品模块",
        required=False,
        empty_label="不确定",
    )
    q = SingleLineField(required=False, widget=forms.HiddenInput)

    def get_question_columns(self) -> dict[str, Any]:
        """Return the arguments of `intake.record_question` besides the text."""
        values = self.cleaned_data
        columns = {name: values[name] for name in ("answer", "channel", "module")}
        return {**columns, "segment": str(values["segment"] or "")}


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def capture_question(request: HttpRequest) -> HttpResponse:
    """Show the form as a page or with ?fragment=form, or record the question."""
    user = get_agent(request)
    if request.method != "POST":
        initial = _build_initial_values(request, user)
        return _render_form(request, CaptureForm(initial=initial, label_suffix=""))
    form = CaptureForm(request.POST, label_suffix="")
    question = _record_question(form, by=user)
    if question is None:
        return _render_form(request, form, status=400)
    message = _describe_outcome(question)
    if _is_fragment_request(request):
        return make_text_response(message, 201)
    messages.success(request, message, extra_tags="capture")
    return redirect(_build_return_url(form.cleaned_data["q"]))


def _record_question(form: CaptureForm, *, by: User) -> Question | None:
    """Return the recorded question, or None with the errors added to the form."""
    if not form.is_valid():
        return None
    text = form.cleaned_data["text"]
    try:
        return intake.record_question(
            text, source=CAPTURE_SOURCE, recorded_by=by, **form.get_question_columns()
        )
    except ValidationError as error:
        form.add_error(None, error.messages)
        return None


def _build_initial_values(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return the words of the search, and the channel that the agent used last."""
    words = normalize.clean_single_line(request.GET.get("q", "")[:MAX_QUESTION_CHARS])
    return {
        "text": words,
        "q": words[:MAX_CONSOLE_QUERY_CHARS],
        "channel": intake.get_last_channel(user),
    }


def _render_form(
    request: HttpRequest, form: CaptureForm, status: int = 200
) -> HttpResponse:
    name = "_form" if _is_fragment_request(request) else "page"
    words = form["q"].value() or ""
    context = {"form": form, "return_url": _build_return_url(words)}
    return render(request, f"console/capture/{name}.html", context, status=status)


def _is_fragment_request(request: HttpRequest) -> bool:
    return request.GET.get("fragment") == "form"


def _build_return_url(words: str) -> str:
    home = reverse("console:home")
    return f"{home}?{urlencode({'q': words})}" if words else home


def _describe_outcome(question: Question) -> str:
    if question.answer:
        return "已记下，编辑会在收件箱里整理。"
    return "已记下，还没有回答，等同事补上。"
