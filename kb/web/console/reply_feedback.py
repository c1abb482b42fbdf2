"""反馈 on a reply: sent from the preview, answered by editors, read here."""

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

from kb.models import Entry, Reply, ReplyFeedback, User
from kb.questions import reply_feedback
from kb.web.console.forms import MAX_ROW_ID, ConsoleForm, SingleLineField
from kb.web.console.views import get_agent

FEEDBACK_PER_PAGE = 20  # remarks
PLAIN_TEXT_TYPE = "text/plain; charset=utf-8"
THANKS_MESSAGE = "谢谢，编辑会看到。答复在「我的反馈」里。"


class ReplyFeedbackForm(forms.Form):
    """What an agent says of a reply; `reply` is empty where the answer was shown."""

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
    """Show an agent's own remarks with their answers, or take a new one."""
    user = get_agent(request)
    if request.method == "POST":
        return _record_feedback(request, user)
    rows = ReplyFeedback.objects.written_by(user).select_related("entry", "done_by")
    page = Paginator(rows, FEEDBACK_PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)  # before they count as read
    live = Entry.objects.published_to(user).in_bulk({one.entry_id for one in shown})
    reply_feedback.mark_answers_seen(user)
    context = {"page": page, "rows": [(one, live.get(one.entry_id)) for one in shown]}
    return render(request, "console/reply_feedback/page.html", context)


def _record_feedback(request: HttpRequest, user: User) -> HttpResponse:
    form = ReplyFeedbackForm(request.POST)
    if not form.is_valid():
        return _refuse_feedback(request, " ".join(map(str, _list_form_errors(form))))
    given = form.cleaned_data
    entry = Entry.objects.published_to(user).filter(pk=given["entry"]).first()
    if entry is None and _is_bare_request(request):
        return HttpResponse(
            "这条话术已下线。", status=404, content_type=PLAIN_TEXT_TYPE
        )
    if entry is None:
        raise Http404("这条话术已下线。")
    reply = (
        entry.replies.shared().filter(pk=given["reply"]).first()
        if given["reply"]
        else None
    )
    if given["reply"] and reply is None:
        return _refuse_feedback(request, "没有记下：这条话术不属于这个条目。")
    try:
        _create_feedback(entry, reply, form, by=user)
    except ValidationError as error:
        return _refuse_feedback(request, " ".join(error.messages))
    if _is_bare_request(request):
        return HttpResponse(THANKS_MESSAGE, status=201, content_type=PLAIN_TEXT_TYPE)
    messages.success(request, THANKS_MESSAGE)
    return redirect(_build_return_url(given))


def _create_feedback(
    entry: Entry, reply: Reply | None, form: forms.Form, *, by: User
) -> None:
    given = form.cleaned_data
    reply_feedback.add_reply_feedback(
        entry,
        by=by,
        reply=reply,
        reason=given["reason"],
        words=given["words"],
        query=given["q"],
    )


def _is_bare_request(request: HttpRequest) -> bool:
    return request.POST.get("bare") == "1"


def _list_form_errors(form: forms.Form) -> list[object]:
    """Return what is wrong, in words; a forged number is only that."""
    if {"entry", "reply"} & form.errors.keys():
        return ["没有记下：缺少条目，或者格式不对。"]
    return [error for errors in form.errors.values() for error in errors]


def _refuse_feedback(request: HttpRequest, said: str) -> HttpResponse:
    if _is_bare_request(request):
        return HttpResponse(said, status=400, content_type=PLAIN_TEXT_TYPE)
    messages.error(request, said)
    form = ConsoleForm(request.POST)
    form.is_valid()
    return redirect(_build_return_url(form.cleaned_data))


def _build_return_url(given: dict[str, object]) -> str:
    kept = {name: given[name] for name in ("q", "entry") if given.get(name)}
    return f"{reverse('console:home')}?{urlencode(kept)}"
