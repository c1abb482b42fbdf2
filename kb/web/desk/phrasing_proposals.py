"""相似问法: searches after which people used an entry, offered as its phrasings."""

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
from kb.web.desk.access import StaffRequest, editor_required
from kb.web.desk.forms import SingleLineField, get_error_code, parse_id
from kb.web.desk.similar_entries import list_personal_data_kinds

MAX_PHRASING_PROPOSALS = 50  # the next ones come when these are judged
MAX_WORDS_KEY_CHARS = 32


@editor_required
@require_safe
def list_phrasing_proposals(request: StaffRequest) -> HttpResponse:
    """List the proposals, those of most people first."""
    return _render_proposals(request)


@editor_required
@require_POST
def judge_phrasing(request: StaffRequest, pk: int) -> HttpResponse:
    """Accept the words as a phrasing, refuse them, or restore refused ones."""
    entry = entries.find_entry(pk, user=request.user)
    words_key = request.POST.get("words", "")[:MAX_WORDS_KEY_CHARS]
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect("desk:phrasings")
    typed = request.POST.get("phrasing")
    text = None if typed is None else SingleLineField(required=False).clean(typed) or ""
    try:
        undo_query = _carry_out_verdict(request, entry, words_key, text)
    except ValidationError as error:
        if get_error_code(error) != "gone":
            return _render_proposals(
                request, RefusedProposal(entry.pk, words_key, text, error.messages)
            )
        messages.warning(request, " ".join(error.messages))
        undo_query = ""
    return redirect(f"{reverse('desk:phrasings')}{undo_query}")


def _carry_out_verdict(
    request: StaffRequest, entry: Entry, words_key: str, text: str | None
) -> str:
    """Carry out the action; return the query string with which it can be undone, or ""."""
    action = request.POST.get("do")
    if action == "accept":
        words, outcome = usage.accept_phrasing_proposal(
            entry, words_key=words_key, by=request.user, words=text
        )
        message = f"「{words}」已收为「{entry}」的相似问法。"
        if isinstance(outcome, Review):
            message = f"「{words}」已作为「{entry}」的相似问法提交审核。"
        messages.success(request, message)
    elif action == "refuse":
        words = usage.refuse_phrasing_proposal(entry, words_key=words_key)
        messages.success(request, f"不再建议「{words}」。")
        return f"?{urlencode({'entry': entry.pk, 'words': words_key})}"
    elif action == "restore":
        words = usage.restore_phrasing_proposal(entry, words_key=words_key)
        messages.success(request, f"已撤销，「{words}」回到建议里了。")
    return ""


@dataclass(frozen=True, slots=True)
class RefusedProposal:
    """What an editor typed for one proposal, and why it was refused."""

    entry_id: int
    words_key: str
    text: str | None
    errors: Sequence[str]

    def is_about(self, proposal: usage.PhrasingProposal) -> bool:
        key = (proposal.entry.pk, proposal.words_key)
        return key == (self.entry_id, self.words_key)


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposal with the phrasing that is suggested, or was typed, for it."""

    proposal: usage.PhrasingProposal
    text: str
    personal_data_kinds: Sequence[str]  # of the data that was masked or removed
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
    """Return the refused proposal of the address, if the reader may restore it."""
    entry_id = parse_id(request.GET.get("entry", ""))
    words_key = request.GET.get("words", "")[:MAX_WORDS_KEY_CHARS]
    refusal = usage.find_refused_proposal(entry_id, words_key)
    if refusal is None or entries.find_entry(entry_id, user=request.user) is None:
        return None
    return refusal


def _make_proposal_row(
    proposal: usage.PhrasingProposal, refused: RefusedProposal | None
) -> ProposalRow:
    kinds = list_personal_data_kinds(proposal.words)
    if refused and refused.is_about(proposal):
        text = proposal.words if refused.text is None else refused.text
        return ProposalRow(proposal, text, kinds, refused.errors)
    return ProposalRow(proposal, entries.suggest_phrasing(proposal.words), kinds)
