"""Replies that agents would share: an editor takes one for all, or says why not."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from kb import search
from kb.library import replies
from kb.models import Entry, ReplyProposal
from kb.web.desk import inbox_queue
from kb.web.desk.draft_entries import editor_required
from kb.web.desk.forms import MAX_ID, SingleLineField
from kb.web.desk.inbox import StaffRequest

MAX_REPLY_PROPOSALS = (
    30  # proposals on the page; the next ones come when these are judged
)
MAX_SUGGESTED_ENTRIES = 3  # entries offered where a reply stands alone


class JudgeProposalForm(forms.Form):
    """`entry` is where the reply goes, `number` another; "new" makes one of it."""

    do = forms.ChoiceField(choices=[("accept", ""), ("return", "")])
    entry = SingleLineField(required=False)
    number = SingleLineField(required=False)
    reason = SingleLineField(required=False)
    seen = SingleLineField(required=False)


@editor_required
@require_safe
def list_reply_proposals(request: StaffRequest) -> HttpResponse:
    """List what agents propose, the oldest first, each with entries it may suit."""
    found = list(replies.list_waiting_reply_proposals()[:MAX_REPLY_PROPOSALS])
    offered = [(proposal, _suggest_entries(proposal, request)) for proposal in found]
    since = timezone.now() - inbox_queue.UNDO_WINDOW
    context = {
        "proposals": offered,
        "total": replies.list_waiting_reply_proposals().count(),
        "undo": replies.find_last_judged_proposal(request.user, since=since),
    }
    return render(request, "desk/proposals/page.html", context)


@editor_required
@require_POST
def judge_reply_proposal(request: StaffRequest, pk: int) -> HttpResponse:
    if request.POST.get("do") == "undo":
        return _undo_send_back(request, pk)
    form = JudgeProposalForm(request.POST)
    proposal = replies.list_waiting_reply_proposals().filter(pk=pk).first()
    if proposal is None or not form.is_valid():
        messages.warning(request, "这条提议已经有人处理了，或者被撤回了。")
        return redirect("desk:proposals")
    try:
        said = _carry_out_judgment(proposal, form.cleaned_data, request)
        messages.success(request, said, extra_tags=f"proposal-{pk}")
    except ValidationError as error:
        messages.warning(
            request, f"「{proposal.reply.title}」：{' '.join(error.messages)}"
        )
    return redirect("desk:proposals")


def _undo_send_back(request: StaffRequest, pk: int) -> HttpResponse:
    """Let what was judged wait again; the reason of sending it back stays in its field."""
    proposal = ReplyProposal.objects.filter(pk=pk).select_related("reply").first()
    try:
        if proposal is None:
            raise ValidationError("这条提议已经不在了。")
        if proposal.state == ReplyProposal.State.ACCEPTED:
            replies.undo_proposal_acceptance(proposal, by=request.user)
            proposal.reply.refresh_from_db()
            what = "收下"
        else:
            replies.undo_proposal_return(proposal, by=request.user)
            what = "退回"
        messages.success(request, f"已撤销{what}：「{proposal.reply.title}」。")
    except (PermissionDenied, ValidationError) as error:
        messages.warning(request, " ".join(getattr(error, "messages", [str(error)])))
    return redirect("desk:proposals")


def _carry_out_judgment(
    proposal: ReplyProposal, given: dict[str, Any], request: StaffRequest
) -> str:
    title = proposal.reply.title
    if given["do"] == "return":
        replies.return_reply_proposal(proposal, by=request.user, reason=given["reason"])
        reads = proposal.by is not None and proposal.by.is_active
        return f"已退回「{title}」{f'，{proposal.by}会看到原因' if reads else ''}。"
    place = given["number"] or given["entry"]
    entry = None if place == "new" else _find_named_entry(place, request)
    reply = replies.accept_reply_proposal(
        proposal, by=request.user, entry=entry, seen_updated_at=given["seen"]
    )
    where = reply.entry.get_absolute_url() if reply.entry else ""
    return format_html(
        "已收为「<a href='{}'>{}</a>」的话术，署名 {}。",
        where,
        reply.entry,
        reply.author,
    )


def _find_named_entry(number: str, request: StaffRequest) -> Entry:
    """Return the entry that was chosen, or whose number was typed."""
    digits = number.lstrip("#＃").strip()
    if not (digits.isascii() and digits.isdecimal()) or int(digits) > MAX_ID:
        raise ValidationError("请选一个条目，或者填条目编号。")
    entry = Entry.objects.visible_to(request.user).filter(pk=int(digits)).first()
    if entry is None:
        raise ValidationError(f"没有编号 {digits} 的条目。")
    return entry


def _suggest_entries(proposal: ReplyProposal, request: StaffRequest) -> list[Entry]:
    """Return the entry that the reply hangs on, or those it may suit."""
    reply = proposal.reply
    if reply.entry and reply.entry.is_visible_to(request.user):
        return [reply.entry]
    text = f"{reply.title} {reply.text}"[: search.MAX_QUERY_CHARS]
    return [
        hit.entry
        for hit in search.find_similar_entries(
            text, user=request.user, limit=MAX_SUGGESTED_ENTRIES
        )
    ]
