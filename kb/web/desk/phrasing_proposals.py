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

from kb import usage
from kb.library import entries
from kb.models import Entry, Review
from kb.web.desk import inbox_queue
from kb.web.desk.answer_form import parse_id
from kb.web.desk.draft_entries import editor_required
from kb.web.desk.forms import SingleLineField
from kb.web.desk.inbox import StaffRequest, get_error_code

MAX_PHRASING_PROPOSALS = (
    50  # proposals on the page; the next ones come when these are judged
)


@editor_required
@require_safe
def list_phrasing_proposals(request: StaffRequest) -> HttpResponse:
    """List what is proposed, what most people said first."""
    return _render_proposals(request)


@editor_required
@require_POST
def judge_phrasing(request: StaffRequest, pk: int) -> HttpResponse:
    """Take the words as a phrasing, or never propose them again."""
    entry = Entry.objects.visible_to(request.user).filter(pk=pk).first()
    key = request.POST.get("words", "")[:32]
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect("desk:phrasings")
    typed = request.POST.get("phrasing")
    text = None if typed is None else SingleLineField(required=False).clean(typed) or ""
    try:
        undo = _carry_out_verdict(request, entry, key, text)
    except ValidationError as error:
        if get_error_code(error) != "gone":
            return _render_proposals(
                request, RefusedProposal(entry.pk, key, text, error.messages)
            )
        messages.warning(request, " ".join(error.messages))
        undo = ""
    return redirect(f"{reverse('desk:phrasings')}{undo}")


def _carry_out_verdict(
    request: StaffRequest, entry: Entry, key: str, text: str | None
) -> str:
    """Do what was asked for; return the query under which it can be undone."""
    act = request.POST.get("do")
    if act == "accept":
        words, heard = usage.accept_phrasing_proposal(
            entry, words_key=key, by=request.user, words=text
        )
        told = f"「{words}」已收为「{entry}」的相似问法。"
        if isinstance(heard, Review):
            told = f"「{words}」已作为「{entry}」的相似问法提交审核。"
        messages.success(request, told)
    elif act == "refuse":
        words = usage.refuse_phrasing_proposal(entry, words_key=key)
        messages.success(request, f"不再建议「{words}」。")
        return f"?{urlencode({'entry': entry.pk, 'words': key})}"
    elif act == "restore":
        words = usage.restore_phrasing_proposal(entry, words_key=key)
        messages.success(request, f"已撤销，「{words}」回到建议里了。")
    return ""


@dataclass(frozen=True, slots=True)
class RefusedProposal:
    """What an editor typed for one proposal, and why it may not be kept."""

    entry_id: int
    words_key: str
    text: str | None
    errors: Sequence[str]

    def is_about(self, proposal: usage.PhrasingProposal) -> bool:
        about = (proposal.entry.pk, proposal.words_key)
        return about == (self.entry_id, self.words_key)


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposal with the words that are offered, or were typed, for it."""

    proposal: usage.PhrasingProposal
    text: str
    personal_data_kinds: Sequence[str]  # kinds of what was left out
    errors: Sequence[str] = ()


def _render_proposals(
    request: StaffRequest, refused: RefusedProposal | None = None
) -> HttpResponse:
    context = {
        "rows": [
            _make_proposal_row(proposal, refused)
            for proposal in usage.list_phrasing_proposals(MAX_PHRASING_PROPOSALS)
        ],
        "total": usage.query_phrasing_proposals().count(),
        "undo": _find_last_refusal(request),
    }
    status = 400 if refused else 200
    return render(request, "desk/phrasings/page.html", context, status=status)


def _find_last_refusal(request: StaffRequest) -> Any:
    """Return what the address says was just refused, if it can be taken back."""
    entry_id = parse_id(request.GET.get("entry", ""))
    refusal = usage.find_refused_proposal(entry_id, request.GET.get("words", "")[:32])
    seen = Entry.objects.visible_to(request.user).filter(pk=entry_id)
    return refusal if refusal and seen.exists() else None


def _make_proposal_row(
    proposal: usage.PhrasingProposal, refused: RefusedProposal | None
) -> ProposalRow:
    offered = entries.suggest_phrasing(proposal.words)
    kinds = inbox_queue.list_personal_data_kinds(proposal.words)
    if refused and refused.is_about(proposal):
        text = proposal.words if refused.text is None else refused.text
        return ProposalRow(proposal, text, kinds, refused.errors)
    return ProposalRow(proposal, offered, kinds)
