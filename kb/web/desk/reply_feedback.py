"""话术反馈: what agents report about replies, until an editor answers."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from kb.library import entries
from kb.models import CategoryRight, ReplyFeedback
from kb.questions import reply_feedback as stage
from kb.web.desk import UNDO_WINDOW
from kb.web.desk.access import StaffRequest, editor_required

FEEDBACK_PER_PAGE = 20
MAX_FEEDBACK_ANSWER_CHARS = 1000
# The session holds {id of a feedback: answer that was not sent} under this key.
UNSENT_ANSWERS_SESSION_KEY = "kb.feedback_answers"


@editor_required
@require_safe
def list_reply_feedback(request: StaffRequest) -> HttpResponse:
    """List open feedback, the oldest first; with ?done=1 answered, the latest first."""
    is_done = request.GET.get("done") == "1"
    rows = stage.list_reply_feedback(resolved=is_done)
    page = Paginator(rows, FEEDBACK_PER_PAGE).get_page(request.GET.get("page"))
    unsent = request.session.get(UNSENT_ANSWERS_SESSION_KEY, {})
    context = {
        "rows": [(feedback, unsent.get(str(feedback.pk), "")) for feedback in page],
        "page": page,
        "is_done": is_done,
        "total": stage.list_reply_feedback(resolved=False).count(),
        "undo": stage.find_last_answered_feedback(
            request.user, since=timezone.now() - UNDO_WINDOW
        ),
    }
    return render(request, "desk/reply_feedback/page.html", context)


@editor_required
@require_POST
def answer_reply_feedback(request: StaffRequest, pk: int) -> HttpResponse:
    """Answer a feedback, or undo the answer; a refused answer stays in the box."""
    feedback = stage.find_reply_feedback(pk)
    if feedback is None:
        messages.warning(request, "这条反馈已经不在了。")
        return redirect("desk:reply-feedback")
    if request.POST.get("do") == "undo":
        return _undo_feedback_answer(request, feedback)
    text = request.POST.get("answer", "")[:MAX_FEEDBACK_ANSWER_CHARS]
    try:
        entries.require_category_right(
            CategoryRight.WRITE, feedback.entry.category_id, by=request.user
        )
        feedback = stage.answer_reply_feedback(feedback, answer=text, by=request.user)
    except ValidationError as error:
        _keep_unsent_answer(request, feedback, text)
        messages.warning(request, " ".join(error.messages))
        if getattr(error, "code", "") == "conflict" and text.strip():
            messages.info(request, f"您写的答复没有发出：{text}")
        return redirect(f"{reverse('desk:reply-feedback')}#feedback-{pk}")
    _keep_unsent_answer(request, feedback, "")
    has_reader = feedback.by is not None and feedback.by.is_active
    end = (
        f"，{feedback.by}会在话术台看到。"
        if has_reader
        else "。提的人已经离开，不会看到。"
    )
    messages.success(request, f"已答复{end}", extra_tags=f"feedback-{pk}")
    return redirect("desk:reply-feedback")


def _undo_feedback_answer(
    request: StaffRequest, feedback: ReplyFeedback
) -> HttpResponse:
    try:
        entries.require_category_right(
            CategoryRight.WRITE, feedback.entry.category_id, by=request.user
        )
        text = stage.reopen_reply_feedback(feedback, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("desk:reply-feedback")
    _keep_unsent_answer(request, feedback, text)
    messages.success(request, "已撤销答复，内容在框里。")
    return redirect(f"{reverse('desk:reply-feedback')}#feedback-{feedback.pk}")


def _keep_unsent_answer(
    request: StaffRequest, feedback: ReplyFeedback, text: str
) -> None:
    """Store an answer that was not sent in the session; "" deletes it."""
    unsent = request.session.get(UNSENT_ANSWERS_SESSION_KEY, {})
    unsent.pop(str(feedback.pk), None)
    if text:
        unsent[str(feedback.pk)] = text
    request.session[UNSENT_ANSWERS_SESSION_KEY] = dict(
        list(unsent.items())[-FEEDBACK_PER_PAGE:]
    )
