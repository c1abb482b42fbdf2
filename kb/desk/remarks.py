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

from kb import entries
from kb import remarks as stage
from kb.desk import queue
from kb.desk.drafts import editor
from kb.desk.views import StaffRequest
from kb.models import ReplyFeedback, Right

PAGE = 20  # remarks
MAX_ANSWER_CHARS = 1000
KEPT = "kb.remark_answers"  # in the session: {id of a remark: answer not sent}


@editor
@require_safe
def remarks(request: StaffRequest) -> HttpResponse:
    """List what waits, the oldest first; ?done=1 what was answered, the latest first."""
    done = request.GET.get("done") == "1"
    rows = (
        ReplyFeedback.objects.filter(state=ReplyFeedback.State.DONE)
        if done
        else ReplyFeedback.objects.waiting()
    )
    shown = rows.select_related("entry", "reply", "by", "done_by")
    page = Paginator(shown, PAGE).get_page(request.GET.get("page"))
    kept = request.session.get(KEPT, {})
    context = {
        "remarks": [(remark, kept.get(str(remark.pk), "")) for remark in page],
        "page": page,
        "done": done,
        "total": ReplyFeedback.objects.waiting().count(),
        "undo": stage.last_closed(request.user, since=timezone.now() - queue.UNDO),
    }
    return render(request, "desk/reply_feedback/page.html", context)


@editor
@require_POST
def answer(request: StaffRequest, pk: int) -> HttpResponse:
    """Answer a remark, or take the answer back; what was written stays in the box."""
    remark = ReplyFeedback.objects.filter(pk=pk).select_related("by").first()
    if remark is None:
        messages.warning(request, "这条反馈已经不在了。")
        return redirect("desk:remarks")
    if request.POST.get("do") == "undo":
        return _undo(request, remark)
    text = request.POST.get("answer", "")[:MAX_ANSWER_CHARS]
    try:
        entries.require(Right.WRITE, remark.entry.category_id, by=request.user)
        remark = stage.close(remark, answer=text, by=request.user)
    except ValidationError as error:
        _keep_text(request, remark, text)
        messages.warning(request, " ".join(error.messages))
        if getattr(error, "code", "") == "conflict" and text.strip():
            messages.info(request, f"您写的答复没有发出：{text}")
        return redirect(f"{reverse('desk:remarks')}#remark-{pk}")
    _keep_text(request, remark, "")
    reads = remark.by is not None and remark.by.is_active
    end = f"，{remark.by}会在话术台看到。" if reads else "。提的人已经离开，不会看到。"
    messages.success(request, f"已答复{end}", extra_tags=f"remark-{pk}")
    return redirect("desk:remarks")


def _undo(request: StaffRequest, remark: ReplyFeedback) -> HttpResponse:
    try:
        entries.require(Right.WRITE, remark.entry.category_id, by=request.user)
        text = stage.reopen(remark, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("desk:remarks")
    _keep_text(request, remark, text)
    messages.success(request, "已撤销答复，内容在框里。")
    return redirect(f"{reverse('desk:remarks')}#remark-{remark.pk}")


def _keep_text(request: StaffRequest, remark: ReplyFeedback, text: str) -> None:
    """Keep an answer that was not sent in the session; "" forgets it."""
    kept = request.session.get(KEPT, {})
    kept.pop(str(remark.pk), None)
    if text:
        kept[str(remark.pk)] = text
    request.session[KEPT] = dict(list(kept.items())[-PAGE:])
