"""共用提议: replies that agents propose to share; an editor accepts or returns them."""

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
from kb.library import entries, replies
from kb.models import Entry, ReplyProposal
from kb.web.desk import UNDO_WINDOW
from kb.web.desk.access import StaffRequest, editor_required
from kb.web.desk.forms import SingleLineField, parse_id

MAX_REPLY_PROPOSALS = 30  # the next ones come when these are judged
MAX_SUGGESTED_ENTRIES = 3  # for a reply that belongs to no entry


class JudgeProposalForm(forms.Form):
    """The verdict, and the entry that gets the reply.

    `entry` is the id of a suggested one or "new"; a typed `number` counts before it.
    """

    do = forms.ChoiceField(choices=[("accept", ""), ("return", "")])
    entry = SingleLineField(required=False)
    number = SingleLineField(required=False)
    reason = SingleLineField(required=False)
    seen = SingleLineField(required=False)


@editor_required
@require_safe
def list_reply_proposals(request: StaffRequest) -> HttpResponse:
    """List the proposals, the oldest first, each with entries that it may suit."""
    listed = list(replies.list_waiting_reply_proposals()[:MAX_REPLY_PROPOSALS])
    since = timezone.now() - UNDO_WINDOW
    context = {
        "proposals": [(row, _suggest_entries(row, request)) for row in listed],
        "total": replies.list_waiting_reply_proposals().count(),
        "undo": replies.find_last_judged_proposal(request.user, since=since),
    }
    return render(request, "desk/proposals/page.html", context)


@editor_required
@require_POST
def judge_reply_proposal(request: StaffRequest, pk: int) -> HttpResponse:
    """Accept a proposal or return it to its author, or undo either."""
    if request.POST.get("do") == "undo":
        return _undo_verdict(request, pk)
    form = JudgeProposalForm(request.POST)
    proposal = replies.find_waiting_reply_proposal(pk)
    if proposal is None or not form.is_valid():
        messages.warning(request, "这条提议已经有人处理了，或者被撤回了。")
        return redirect("desk:proposals")
    try:
        message = _carry_out_judgment(proposal, form.cleaned_data, request)
        messages.success(request, message, extra_tags=f"proposal-{pk}")
    except ValidationError as error:
        messages.warning(
            request, f"「{proposal.reply.title}」：{' '.join(error.messages)}"
        )
    return redirect("desk:proposals")


def _undo_verdict(request: StaffRequest, pk: int) -> HttpResponse:
    """Let a judged proposal wait again; the reason for returning it stays in its field."""
    proposal = replies.find_reply_proposal(pk)
    try:
        if proposal is None:
            raise ValidationError("这条提议已经不在了。")
        if proposal.state == ReplyProposal.State.ACCEPTED:
            replies.undo_proposal_acceptance(proposal, by=request.user)
            proposal.reply.refresh_from_db()
            verdict = "收下"
        else:
            replies.undo_proposal_return(proposal, by=request.user)
            verdict = "退回"
        messages.success(request, f"已撤销{verdict}：「{proposal.reply.title}」。")
    except (PermissionDenied, ValidationError) as error:
        messages.warning(request, " ".join(getattr(error, "messages", [str(error)])))
    return redirect("desk:proposals")


def _carry_out_judgment(
    proposal: ReplyProposal, values: dict[str, Any], request: StaffRequest
) -> str:
    """Accept or return the proposal; return the message about it."""
    title = proposal.reply.title
    if values["do"] == "return":
        reason = values["reason"]
        replies.return_reply_proposal(proposal, by=request.user, reason=reason)
        has_reader = proposal.by is not None and proposal.by.is_active
        return (
            f"已退回「{title}」{f'，{proposal.by}会看到原因' if has_reader else ''}。"
        )
    number = values["number"] or values["entry"]
    entry = None if number == "new" else _find_numbered_entry(number, request)
    reply = replies.accept_reply_proposal(
        proposal, by=request.user, entry=entry, seen_updated_at=values["seen"]
    )
    url = reply.entry.get_absolute_url() if reply.entry else ""
    return format_html(
        "已收为「<a href='{}'>{}</a>」的话术，署名 {}。",
        url,
        reply.entry,
        reply.author,
    )


def _find_numbered_entry(number: str, request: StaffRequest) -> Entry:
    """Return the entry with that id, which may have a "#" before it.

    Raises ValidationError where there is no number, or no such entry for the reader.
    """
    pk = parse_id(number.lstrip("#＃").strip())
    if not pk:
        raise ValidationError("请选一个条目，或者填条目编号。")
    entry = entries.find_entry(pk, user=request.user)
    if entry is None:
        raise ValidationError(f"没有编号 {pk} 的条目。")
    return entry


def _suggest_entries(proposal: ReplyProposal, request: StaffRequest) -> list[Entry]:
    """Return the entry of the reply, or those that are similar to it."""
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
