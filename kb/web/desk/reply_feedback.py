"""话术反馈: what agents say is wrong, with its context, until an editor answers."""

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
from kb.web.desk import inbox_queue
from kb.web.desk.draft_entries import editor_required
from kb.web.desk.inbox import StaffRequest

FEEDBACK_PER_PAGE = 20  # remarks
MAX_FEEDBACK_ANSWER_CHARS = 1000
UNSENT_ANSWERS_SESSION_KEY = (
    "kb.remark_answers"  # in the session: {id of a remark: answer not sent}
)


@editor_required
@require_safe
def list_reply_feedback(request: StaffRequest) -> HttpResponse:
    """List what waits, the oldest first; ?done=1 what was answered, the latest first."""
    done = request.GET.get("done") == "1"
    rows = (
        ReplyFeedback.objects.filter(state=ReplyFeedback.State.DONE)
        if done
        else ReplyFeedback.objects.unresolved()
    )
    shown = rows.select_related("entry", "reply", "by", "done_by")
    page = Paginator(shown, FEEDBACK_PER_PAGE).get_page(request.GET.get("page"))
    kept = request.session.get(UNSENT_ANSWERS_SESSION_KEY, {})
    context = {
        "remarks": [(remark, kept.get(str(remark.pk), "")) for remark in page],
        "page": page,
        "done": done,
        "total": ReplyFeedback.objects.unresolved().count(),
        "undo": stage.find_last_answered_feedback(
            request.user, since=timezone.now() - inbox_queue.UNDO_WINDOW
        ),
    }
    return render(request, "desk/reply_feedback/page.html", context)


@editor_required
@require_POST
def answer_reply_feedback(request: StaffRequest, pk: int) -> HttpResponse:
    """Answer a remark, or take the answer back; what was written stays in the box."""
    remark = ReplyFeedback.objects.filter(pk=pk).select_related("by").first()
    if remark is None:
        messages.warning(request, "这条反馈已经不在了。")
        return redirect("desk:remarks")
    if request.POST.get("do") == "undo":
        return _undo_feedback_answer(request, remark)
    text = request.POST.get("answer", "")[:MAX_FEEDBACK_ANSWER_CHARS]
    try:
        entries.require_category_right(
            CategoryRight.WRITE, remark.entry.category_id, by=request.user
        )
        remark = stage.answer_reply_feedback(remark, answer=text, by=request.user)
    except ValidationError as error:
        _keep_unsent_answer(request, remark, text)
        messages.warning(request, " ".join(error.messages))
        if getattr(error, "code", "") == "conflict" and text.strip():
            messages.info(request, f"您写的答复没有发出：{text}")
        return redirect(f"{reverse('desk:remarks')}#remark-{pk}")
    _keep_unsent_answer(request, remark, "")
    reads = remark.by is not None and remark.by.is_active
    end = f"，{remark.by}会在话术台看到。" if reads else "。提的人已经离开，不会看到。"
    messages.success(request, f"已答复{end}", extra_tags=f"remark-{pk}")
    return redirect("desk:remarks")


def _undo_feedback_answer(request: StaffRequest, remark: ReplyFeedback) -> HttpResponse:
    try:
        entries.require_category_right(
            CategoryRight.WRITE, remark.entry.category_id, by=request.user
        )
        text = stage.reopen_reply_feedback(remark, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("desk:remarks")
    _keep_unsent_answer(request, remark, text)
    messages.success(request, "已撤销答复，内容在框里。")
    return redirect(f"{reverse('desk:remarks')}#remark-{remark.pk}")


def _keep_unsent_answer(
    request: StaffRequest, remark: ReplyFeedback, text: str
) -> None:
    """Keep an answer that was not sent in the session; "" forgets it."""
    kept = request.session.get(UNSENT_ANSWERS_SESSION_KEY, {})
    kept.pop(str(remark.pk), None)
    if text:
        kept[str(remark.pk)] = text
    request.session[UNSENT_ANSWERS_SESSION_KEY] = dict(
        list(kept.items())[-FEEDBACK_PER_PAGE:]
    )
