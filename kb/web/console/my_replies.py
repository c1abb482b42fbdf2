"""我的话术: write private replies and the team's, and propose them as shared ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from kb.library import replies
from kb.library.entries import entry_lookup
from kb.library.replies import reply_lookup
from kb.models import Entry, Reply, User
from kb.web.console.forms import MAX_ROW_ID
from kb.web.console.views import get_agent

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Reply]
else:
    ModelForm = forms.ModelForm


DELETED_SESSION_KEY = "deleted_replies"
MAX_UNDOABLE_DELETIONS = 5
UNDO_SECONDS = 1800
MAX_SNIPPETS_NAMED = 30  # in the help text of the field


class ReplyForm(ModelForm):
    """A private reply. Without `follows` it is detached from its entry."""

    follows = forms.BooleanField(
        label="跟随条目",
        required=False,
        initial=True,
        help_text="条目下线或过期时，这条也不能再用。不勾就和条目脱开，自己单独留着。",
    )

    class Meta:
        model = Reply
        fields = ["title", "keywords", "body", "channel", "segment", "tone"]
        widgets = {"body": forms.Textarea({"rows": 6})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        names = reply_lookup.list_snippet_names(MAX_SNIPPETS_NAMED)
        if placeholders := "、".join(f"{{{{> {name}}}}}" for name in names):
            self.fields["body"].help_text += f"可以用的片段：{placeholders}。"
        self.fields["title"].required = True
        self.fields["channel"].help_text = self.fields["segment"].help_text = ""
        for name in ("channel", "segment"):
            self.fields[name].choices = [  # type: ignore[attr-defined]
                ("", "通用"),
                *list(self.fields[name].choices)[1:],  # type: ignore[attr-defined]
            ]
        if self.instance.entry is None:
            del self.fields["follows"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "follows" in self.fields and not values.get("follows"):
            self.instance.entry = None
        return values


class SourceReplyForm(forms.Form):
    """The shown text to copy: a reply, or the answer of an entry."""

    entry = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    reply = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)


@never_cache
@login_required
@require_safe
def show_my_replies(request: HttpRequest) -> HttpResponse:
    """List the agent's replies with their proposals, and the replies of their team."""
    user = get_agent(request)
    context: dict[str, Any] = {
        "own_replies": [
            (reply, _explain_unusable(reply, user))
            for reply in reply_lookup.query_own_replies_with_proposals(user)
        ],
        "team_replies": [
            (reply, _explain_unusable(reply, user))
            for reply in replies.list_team_replies(user)
        ],
        "accepted_replies": replies.list_accepted_replies(user),
        "last_deleted": next(reversed(_list_deleted_replies(request)), None),
    }
    return render(request, "console/own_replies/page.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_reply(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a reply; an invalid form is shown again with its errors."""
    user = get_agent(request)
    reply = _get_writable_reply(pk, user) if pk else _make_new_reply(request, user)
    draft_key = _get_draft_key(reply)
    form = ReplyForm(request.POST or None, instance=reply)
    if request.method == "POST" and _save_reply(form, user):
        message = f"已保存「{form.instance.title}」。"
        messages.success(request, message, extra_tags=draft_key)
        return redirect("console:own-replies")
    context = {
        "form": form,
        "reply": reply,
        "unusable_reason": _explain_unusable(reply, user),
        "draft_key": draft_key,
    }
    return render(request, "console/own_replies/form.html", context)


@never_cache
@require_POST
def change_reply_state(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Delete a reply, propose it as a shared one, or withdraw the proposal."""
    user = get_agent(request)
    reply = _get_writable_reply(pk, user)
    if action == "delete":
        _remember_deleted(request, replies.delete_private_reply(reply, by=user))
    elif action == "propose":
        replies.propose_reply(reply, by=user)
        messages.success(
            request, f"已提议共用「{reply.title}」，编辑审核后您会在这里看到结果。"
        )
    elif action == "withdraw":
        is_withdrawn = replies.withdraw_reply_proposal(reply, by=user)
        message = "已撤回提议。" if is_withdrawn else "这条提议已经有结果了。"
        messages.success(request, message)
    else:
        raise Http404
    return redirect("console:own-replies")


@never_cache
@require_POST
def restore_reply(request: HttpRequest) -> HttpResponse:
    """Restore the reply that was deleted last."""
    user = get_agent(request)
    deleted = _list_deleted_replies(request)
    if not deleted:
        messages.warning(request, "没有可以撤销的删除。")
        return redirect("console:own-replies")
    try:
        reply = replies.restore_private_reply(deleted[-1], by=user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    else:
        request.session[DELETED_SESSION_KEY] = deleted[:-1]
        messages.success(request, f"已恢复「{reply.title}」。")
    return redirect("console:own-replies")


def _remember_deleted(request: HttpRequest, columns: dict[str, Any]) -> None:
    """Store the columns of a deleted reply in the session, for an undo."""
    deleted = [
        *_list_deleted_replies(request),
        {**columns, "deleted_at": timezone.now().timestamp()},
    ]
    request.session[DELETED_SESSION_KEY] = deleted[-MAX_UNDOABLE_DELETIONS:]


def _list_deleted_replies(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the columns of replies deleted within UNDO_SECONDS, the last at the end."""
    since = timezone.now().timestamp() - UNDO_SECONDS
    deleted: list[dict[str, Any]] = request.session.get(DELETED_SESSION_KEY, [])
    return [columns for columns in deleted if columns["deleted_at"] > since]


@never_cache
@require_POST
def copy_reply(request: HttpRequest) -> HttpResponse:
    """Copy a shown text to the agent's own replies and open the copy for a change."""
    user = get_agent(request)
    form = SourceReplyForm(request.GET or request.POST)
    entry, reply = _get_source_reply(form, user)
    try:
        own_reply, is_new = replies.copy_to_own_replies(entry, reply=reply, by=user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("console:own-replies")
    if is_new:
        messages.success(request, "已存为我的话术，改好后保存。")
    else:
        messages.success(request, "您已经有一模一样的一条，就在这里。")
    return redirect("console:own-reply-edit", own_reply.pk)


def _get_source_reply(
    form: SourceReplyForm, user: User
) -> tuple[Entry | None, Reply | None]:
    """Return the entry and the reply to copy; 404 for what `user` may not read."""
    form.is_valid()
    entry_id, reply_id = (form.cleaned_data.get(name) for name in ("entry", "reply"))
    entry = entry_lookup.find_published_entry(entry_id, user=user)
    reply = reply_lookup.find_readable_reply(reply_id, entry=entry, user=user)
    is_missing = (entry_id and not entry) or (reply_id and not reply)
    if is_missing or not (entry or reply):
        raise Http404("没有这条话术。")
    return entry, reply


def _get_writable_reply(pk: int, user: User) -> Reply:
    """Return the reply `pk` if `user` may change it; 404 for replies of others."""
    reply = reply_lookup.find_writable_reply(pk, user=user)
    if reply is None:
        raise Http404("没有这条话术。")
    return reply


def _make_new_reply(request: HttpRequest, user: User) -> Reply:
    """Return an empty reply of the user, or with ?for=team of their team."""
    if request.GET.get("for") != "team":
        return Reply(owner=user, label="我的")
    if not user.can_lead_team:
        raise PermissionDenied("团队话术由主管来写。")
    return Reply(team=user.team, label="团队")


def _get_draft_key(reply: Reply) -> str:
    """Return the key under which the browser stores a draft of the form."""
    if reply.pk:
        return f"mine-{reply.pk}"
    return "mine-new-team" if reply.team_id else "mine-new"


def _save_reply(form: ReplyForm, user: User) -> bool:
    if not form.is_valid():
        return False
    try:
        replies.save_private_reply(form.save(commit=False), by=user)
    except ValidationError as error:
        form.add_error(None, ValidationError(error.messages))
        return False
    return True


def _explain_unusable(reply: Reply, user: User) -> str:
    """Return why a reply cannot be sent now, or an empty string."""
    entry = reply.entry
    if entry is None:
        return ""
    if entry.status != Entry.Status.PUBLISHED or not entry.is_visible_to(user):
        return "原条目已下线"
    return "" if entry.is_in_force else f"原条目{entry.validity.label}"
