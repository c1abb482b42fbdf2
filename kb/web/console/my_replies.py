"""我的话术: an agent's own replies and the team's, written and shared by review."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Prefetch
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
from kb.models import Entry, Reply, ReplyProposal, Snippet, User
from kb.web.console.forms import MAX_ROW_ID
from kb.web.console.views import get_agent

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Reply]
else:
    ModelForm = forms.ModelForm


DELETED_SESSION_KEY = "deleted_replies"  # key of the session
MAX_UNDOABLE_DELETIONS = 5  # replies that can be brought back
UNDO_SECONDS = 1800
MAX_SNIPPETS_NAMED = 30  # snippets named below the field


class ReplyForm(ModelForm):
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
        names = Snippet.objects.values_list("name", flat=True)[:MAX_SNIPPETS_NAMED]
        if listed := "、".join(f"{{{{> {name}}}}}" for name in names):
            self.fields["body"].help_text += f"可以用的片段：{listed}。"
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
        given = super().clean() or {}
        if "follows" in self.fields and not given.get("follows"):
            self.instance.entry = None
        return given


class SourceReplyForm(forms.Form):
    entry = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    reply = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)


@never_cache
@login_required
@require_safe
def show_my_replies(request: HttpRequest) -> HttpResponse:
    """List what the agent and his team keep, and what became of proposals."""
    user = get_agent(request)
    judged = ReplyProposal.objects.order_by("-at", "-pk")
    own = replies.list_own_replies(user).prefetch_related(Prefetch("proposals", judged))
    context: dict[str, Any] = {
        "own": [(reply, _explain_unusable(reply, user)) for reply in own],
        "team": [
            (reply, _explain_unusable(reply, user))
            for reply in replies.list_team_replies(user)
        ],
        "shared": replies.list_accepted_replies(user),
        "most": replies.MAX_PRIVATE_REPLIES,
        "deleted": next(reversed(_list_deleted_replies(request)), None),
    }
    return render(request, "console/own_replies/page.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_reply(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a reply; a mistake changes nothing and says where."""
    user = get_agent(request)
    reply = _get_writable_reply(pk, user) if pk else _make_blank_reply(request, user)
    draft_key = _get_draft_key(reply)
    form = ReplyForm(request.POST or None, instance=reply)
    if request.method == "POST" and _save_reply(form, user):
        said = f"已保存「{form.instance.title}」。"
        messages.success(request, said, extra_tags=draft_key)
        return redirect("console:mine")
    context = {"form": form, "reply": reply, "standing": _explain_unusable(reply, user)}
    context["draft_key"] = draft_key
    return render(request, "console/own_replies/form.html", context)


@never_cache
@require_POST
def change_reply_state(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Delete a reply, propose it to everybody, or take the proposal back."""
    user = get_agent(request)
    reply = _get_writable_reply(pk, user)
    if what == "delete":
        _remember_deleted(request, replies.delete_private_reply(reply, by=user))
    elif what == "propose":
        replies.propose_reply(reply, by=user)
        messages.success(
            request, f"已提议共用「{reply.title}」，编辑审核后您会在这里看到结果。"
        )
    elif what == "withdraw":
        taken = replies.withdraw_reply_proposal(reply, by=user)
        messages.success(request, "已撤回提议。" if taken else "这条提议已经有结果了。")
    else:
        raise Http404
    return redirect("console:mine")


@never_cache
@require_POST
def restore_reply(request: HttpRequest) -> HttpResponse:
    """Bring back the reply that was deleted last."""
    user = get_agent(request)
    deleted = _list_deleted_replies(request)
    if not deleted:
        messages.warning(request, "没有可以撤销的删除。")
        return redirect("console:mine")
    try:
        reply = replies.restore_private_reply(deleted[-1], by=user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    else:
        request.session[DELETED_SESSION_KEY] = deleted[:-1]
        messages.success(request, f"已恢复「{reply.title}」。")
    return redirect("console:mine")


def _remember_deleted(request: HttpRequest, columns: dict[str, Any]) -> None:
    """Keep what was deleted in the session, so that it can be brought back."""
    entry = {**columns, "deleted_at": timezone.now().timestamp()}
    request.session[DELETED_SESSION_KEY] = [*_list_deleted_replies(request), entry][
        -MAX_UNDOABLE_DELETIONS:
    ]


def _list_deleted_replies(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what can still be brought back, the last deleted at the end."""
    since = timezone.now().timestamp() - UNDO_SECONDS
    kept: list[dict[str, Any]] = request.session.get(DELETED_SESSION_KEY, [])
    return [columns for columns in kept if columns["deleted_at"] > since]


@never_cache
@require_POST
def copy_reply(request: HttpRequest) -> HttpResponse:
    """Make a shown reply one's own, and go on to change it."""
    user = get_agent(request)
    entry, reply = _get_shown_reply(SourceReplyForm(request.GET or request.POST), user)
    try:
        made, new = replies.copy_to_own_replies(entry, reply=reply, by=user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("console:mine")
    said = (
        "已存为我的话术，改好后保存。" if new else "您已经有一模一样的一条，就在这里。"
    )
    messages.success(request, said)
    return redirect("console:mine-edit", made.pk)


def _get_shown_reply(
    form: SourceReplyForm, user: User
) -> tuple[Entry | None, Reply | None]:
    """Return the entry and the reply that were shown, as far as `user` may see them."""
    form.is_valid()
    entry_id, reply_id = (form.cleaned_data.get(name) for name in ("entry", "reply"))
    entry = Entry.objects.published_to(user).filter(pk=entry_id or 0).first()
    readable = Reply.objects.readable_by(user).filter(entry=entry)
    reply = readable.filter(pk=reply_id or 0).first()
    lost = (entry_id and not entry) or (reply_id and not reply)
    if lost or not (entry or reply):
        raise Http404("没有这条话术。")
    return entry, reply


def _get_writable_reply(pk: int, user: User) -> Reply:
    """Return the reply if `user` may write it; one of others never was."""
    kept = Reply.objects.private_to(user).select_related("entry", "team")
    reply = kept.filter(pk=pk).first()
    if reply is None or not replies.can_write_reply(reply, user):
        raise Http404("没有这条话术。")
    return reply


def _make_blank_reply(request: HttpRequest, user: User) -> Reply:
    if request.GET.get("for") != "team":
        return Reply(owner=user, label="我的")
    if not user.can_lead_team:
        raise PermissionDenied("团队话术由主管来写。")
    return Reply(team=user.team, label="团队")


def _get_draft_key(reply: Reply) -> str:
    """Return what the browser keeps an unsaved form of `reply` under."""
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
    """Return why a reply cannot be used now, or nothing."""
    entry = reply.entry
    if entry is None:
        return ""
    if entry.status != Entry.Status.PUBLISHED or not entry.is_visible_to(user):
        return "原条目已下线"
    return "" if entry.is_in_force else f"原条目{entry.validity.label}"
