"""话术反馈: send feedback on a reply, and read the editors' answers."""

from __future__ import annotations

from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from kb.library.entries import entry_lookup
from kb.library.replies import reply_lookup
from kb.models import Entry, Reply, ReplyFeedback, User
from kb.questions import reply_feedback
from kb.web.console.forms import MAX_ROW_ID, ConsoleForm, SingleLineField
from kb.web.console.responses import make_text_response
from kb.web.console.views import get_agent

FEEDBACK_PER_PAGE = 20
THANKS_MESSAGE = "谢谢，编辑会看到。答复在「我的反馈」里。"


class ReplyFeedbackForm(forms.Form):
    """Feedback on a reply, or on the answer of the entry where `reply` is empty."""

    entry = forms.IntegerField(min_value=1, max_value=MAX_ROW_ID)
    reply = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    reason = forms.ChoiceField(
        choices=ReplyFeedback.Reason.choices,
        error_messages={"required": "请选一下哪里不对。"},
    )
    words = forms.CharField(
        required=False,
        max_length=500,
        error_messages={"max_length": "补充说明最多 500 字。"},
    )
    q = SingleLineField(required=False)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show_my_feedback(request: HttpRequest) -> HttpResponse:
    """Show an agent's own feedback with its answers, or record new feedback."""
    user = get_agent(request)
    if request.method == "POST":
        return _record_feedback(request, user)
    feedback = reply_feedback.query_feedback_of(user)
    page = Paginator(feedback, FEEDBACK_PER_PAGE).get_page(request.GET.get("page"))
    feedback_items = list(page.object_list)  # loaded before they are marked as seen
    entries = entry_lookup.load_published_entries(
        {item.entry_id for item in feedback_items}, user=user
    )
    reply_feedback.mark_answers_seen(user)
    rows = [(item, entries.get(item.entry_id)) for item in feedback_items]
    context = {"page": page, "rows": rows}
    return render(request, "console/reply_feedback/page.html", context)


def _record_feedback(request: HttpRequest, user: User) -> HttpResponse:
    form = ReplyFeedbackForm(request.POST)
    if not form.is_valid():
        return _refuse_feedback(request, " ".join(map(str, _list_form_errors(form))))
    values = form.cleaned_data
    entry = entry_lookup.find_published_entry(values["entry"], user=user)
    if entry is None:
        if _is_script_request(request):
            return make_text_response("这条话术已下线。", 404)
        raise Http404("这条话术已下线。")
    reply = None
    if values["reply"]:
        reply = reply_lookup.find_shared_reply(values["reply"], entry=entry)
    if values["reply"] and reply is None:
        return _refuse_feedback(request, "没有记下：这条话术不属于这个条目。")
    try:
        _create_feedback(entry, reply, form, by=user)
    except ValidationError as error:
        return _refuse_feedback(request, " ".join(error.messages))
    if _is_script_request(request):
        return make_text_response(THANKS_MESSAGE, 201)
    messages.success(request, THANKS_MESSAGE)
    return redirect(_build_return_url(values))


def _create_feedback(
    entry: Entry, reply: Reply | None, form: forms.Form, *, by: User
) -> None:
    values = form.cleaned_data
    reply_feedback.add_reply_feedback(
        entry,
        by=by,
        reply=reply,
        reason=values["reason"],
        words=values["words"],
        query=values["q"],
    )


def _is_script_request(request: HttpRequest) -> bool:
    return request.POST.get("bare") == "1"


def _list_form_errors(form: forms.Form) -> list[object]:
    """Return the errors; a forged id gets one message without details."""
    if {"entry", "reply"} & form.errors.keys():
        return ["没有记下：缺少条目，或者格式不对。"]
    return [error for errors in form.errors.values() for error in errors]


def _refuse_feedback(request: HttpRequest, message: str) -> HttpResponse:
    if _is_script_request(request):
        return make_text_response(message, 400)
    messages.error(request, message)
    form = ConsoleForm(request.POST)
    form.is_valid()
    return redirect(_build_return_url(form.cleaned_data))


def _build_return_url(values: dict[str, object]) -> str:
    """Return the address of the console with the search and the entry in `values`."""
    parameters = {name: values[name] for name in ("q", "entry") if values.get(name)}
    return f"{reverse('console:home')}?{urlencode(parameters)}"
