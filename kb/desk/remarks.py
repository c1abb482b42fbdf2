"""话术反馈: what agents say is wrong, with its context, until an editor answers."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from kb import remarks as stage
from kb.desk.drafts import editor
from kb.desk.views import StaffRequest
from kb.models import ReplyFeedback

PAGE = 20  # remarks


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
    context = {
        "page": page,
        "done": done,
        "total": ReplyFeedback.objects.waiting().count(),
    }
    return render(request, "desk/remarks.html", context)


@editor
@require_POST
def answer(request: StaffRequest, pk: int) -> HttpResponse:
    """Answer a remark; what was written stays when it is refused."""
    remark = ReplyFeedback.objects.filter(pk=pk).first()
    said = request.POST.get("answer", "")[:1000]
    if remark is None:
        messages.warning(request, "这条反馈已经不在了。")
        return redirect("desk:remarks")
    try:
        remark = stage.close(remark, answer=said, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(f"{reverse('desk:remarks')}#remark-{pk}")
    name = remark.by or "同事"
    messages.success(request, f"已答复，{name}会在话术台看到。")
    return redirect("desk:remarks")
