"""Alt+N: what a customer asked and nobody had an answer for goes to the inbox."""

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

from kb.models import Channel, CustomerSegment, Module, Question, User
from kb.questions import intake
from kb.text.chinese import normalize
from kb.web.console.forms import SingleLineField
from kb.web.console.views import get_agent

CAPTURE_SOURCE = "console"


class MultilineTextField(forms.CharField):
    """Several lines, without what nobody can see."""

    widget = forms.Textarea

    def to_python(self, value: object) -> str:
        return normalize.clean_text(str(value or "")).strip()


class CaptureForm(forms.Form):
    text = MultilineTextField(
        label="客户的话",
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": "请写下客户问了什么。"},
    )
    answer = MultilineTextField(
        label="我的回答",
        required=False,
        max_length=10_000,
        widget=forms.Textarea({"rows": 4}),
        help_text="还没有答案就空着，记为待回答。",
    )
    channel = forms.ChoiceField(label="渠道", choices=Channel.choices)
    segment = forms.ModelChoiceField(
        CustomerSegment.objects.all(),
        label="客户类型",
        required=False,
        to_field_name="name",
        empty_label="不确定",
    )
    module = forms.ModelChoiceField(
        Module.objects.all(), label="产品模块", required=False, empty_label="不确定"
    )
    q = SingleLineField(
        required=False, widget=forms.HiddenInput
    )  # what the console goes back to

    def get_question_columns(self) -> dict[str, Any]:
        """Return what questions.ask takes beside the text."""
        given = self.cleaned_data
        kept = {name: given[name] for name in ("answer", "channel", "module")}
        return {**kept, "segment": str(given["segment"] or "")}


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def capture_question(request: HttpRequest) -> HttpResponse:
    """Show the small form, whole or as ?fragment=form, or take what was written."""
    user = get_agent(request)
    if request.method != "POST":
        start = _build_initial_values(request, user)
        return _render_form(request, CaptureForm(initial=start, label_suffix=""))
    form = CaptureForm(request.POST, label_suffix="")
    question = _record_question(form, by=user)
    if question is None:
        return _render_form(request, form, status=400)
    said = _describe_outcome(question)
    if _is_fragment_request(request):
        text = "text/plain; charset=utf-8"
        return HttpResponse(said, status=201, content_type=text)
    messages.success(request, said, extra_tags="capture")
    return redirect(_build_return_url(form.cleaned_data["q"]))


def _record_question(form: CaptureForm, *, by: User) -> Question | None:
    """Return the question that was kept; None where the form now says why not."""
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
    """The words of the search, and the channel of what the agent recorded last."""
    words = normalize.clean_single_line(request.GET.get("q", "")[:2000])
    last = Question.objects.filter(recorded_by=user).order_by("-pk").first()
    channel = last.channel if last else Channel.OTHER
    return {"text": words, "q": words[:200], "channel": channel}


def _render_form(
    request: HttpRequest, form: CaptureForm, status: int = 200
) -> HttpResponse:
    name = "_form" if _is_fragment_request(request) else "page"
    words = form["q"].value() or ""
    context = {"form": form, "back": _build_return_url(words)}
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
