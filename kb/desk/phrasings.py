"""Words by which people found an entry: an editor makes them phrasings, or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from kb import entries, feedback
from kb.desk import queue
from kb.desk.answering import parse_id
from kb.desk.drafts import editor
from kb.desk.forms import Line
from kb.desk.views import StaffRequest, error_code
from kb.models import Entry, Review

MOST = 50  # proposals on the page; the next ones come when these are judged


@editor
@require_safe
def phrasings(request: StaffRequest) -> HttpResponse:
    """List what is proposed, what most people said first."""
    return _page(request)


@editor
@require_POST
def judge(request: StaffRequest, pk: int) -> HttpResponse:
    """Take the words as a phrasing, or never propose them again."""
    entry = Entry.objects.visible_to(request.user).filter(pk=pk).first()
    key = request.POST.get("words", "")[:32]
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect("desk:phrasings")
    typed = request.POST.get("phrasing")
    text = None if typed is None else Line(required=False).clean(typed) or ""
    try:
        undo = _judge(request, entry, key, text)
    except ValidationError as error:
        if error_code(error) != "gone":
            return _page(request, Refused(entry.pk, key, text, error.messages))
        messages.warning(request, " ".join(error.messages))
        undo = ""
    return redirect(f"{reverse('desk:phrasings')}{undo}")


def _judge(request: StaffRequest, entry: Entry, key: str, text: str | None) -> str:
    """Do what was asked for; return the query under which it can be undone."""
    act = request.POST.get("do")
    if act == "accept":
        words, heard = feedback.accept(
            entry, words_key=key, by=request.user, words=text
        )
        told = f"「{words}」已收为「{entry}」的相似问法。"
        if isinstance(heard, Review):
            told = f"「{words}」已作为「{entry}」的相似问法提交审核。"
        messages.success(request, told)
    elif act == "refuse":
        words = feedback.refuse(entry, words_key=key)
        messages.success(request, f"不再建议「{words}」。")
        return f"?{urlencode({'entry': entry.pk, 'words': key})}"
    elif act == "restore":
        words = feedback.restore_proposal(entry, words_key=key)
        messages.success(request, f"已撤销，「{words}」回到建议里了。")
    return ""


@dataclass(frozen=True, slots=True)
class Refused:
    """What an editor typed for one proposal, and why it may not be kept."""

    entry_id: int
    words_key: str
    text: str | None
    errors: Sequence[str]

    def is_about(self, proposal: feedback.Proposal) -> bool:
        about = (proposal.entry.pk, proposal.words_key)
        return about == (self.entry_id, self.words_key)


@dataclass(frozen=True, slots=True)
class Row:
    """A proposal with the words that are offered, or were typed, for it."""

    proposal: feedback.Proposal
    text: str
    personal: Sequence[str]  # kinds of what was left out
    errors: Sequence[str] = ()


def _page(request: StaffRequest, refused: Refused | None = None) -> HttpResponse:
    context = {
        "rows": [_row(proposal, refused) for proposal in feedback.proposals(MOST)],
        "total": feedback.proposed().count(),
        "undo": _last_refusal(request),
    }
    status = 400 if refused else 200
    return render(request, "desk/phrasings/page.html", context, status=status)


def _last_refusal(request: StaffRequest) -> Any:
    """Return what the address says was just refused, if it can be taken back."""
    entry_id = parse_id(request.GET.get("entry", ""))
    refusal = feedback.find_refusal(entry_id, request.GET.get("words", "")[:32])
    seen = Entry.objects.visible_to(request.user).filter(pk=entry_id)
    return refusal if refusal and seen.exists() else None


def _row(proposal: feedback.Proposal, refused: Refused | None) -> Row:
    offered = entries.offered_phrasing(proposal.words)
    kinds = queue.personal_kinds(proposal.words)
    if refused and refused.is_about(proposal):
        text = proposal.words if refused.text is None else refused.text
        return Row(proposal, text, kinds, refused.errors)
    return Row(proposal, offered, kinds)
