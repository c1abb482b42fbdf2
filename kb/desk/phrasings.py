"""Words by which people found an entry: an editor makes them phrasings, or not."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from kb import feedback
from kb.desk.drafts import editor
from kb.desk.views import StaffRequest
from kb.models import Entry, Review

MOST = 50  # proposals on the page; the next ones come when these are judged


@editor
@require_safe
def phrasings(request: StaffRequest) -> HttpResponse:
    """List what is proposed, what most people said first."""
    context = {
        "proposals": feedback.proposals(MOST),
        "total": feedback.proposed().count(),
    }
    return render(request, "desk/phrasings.html", context)


@editor
@require_POST
def judge(request: StaffRequest, pk: int) -> HttpResponse:
    """Take the words as a phrasing, or never propose them again."""
    entry = Entry.objects.visible_to(request.user).filter(pk=pk).first()
    key = request.POST.get("words", "")[:32]
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect("desk:phrasings")
    try:
        if request.POST.get("do") == "accept":
            words, heard = feedback.accept(entry, words_key=key, by=request.user)
            told = f"「{words}」已收为「{entry}」的相似问法。"
            if isinstance(heard, Review):
                told = f"「{words}」已作为「{entry}」的相似问法提交审核。"
            messages.success(request, told)
        elif request.POST.get("do") == "refuse":
            words = feedback.refuse(entry, words_key=key)
            messages.success(request, f"不再建议「{words}」。")
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    return redirect("desk:phrasings")
