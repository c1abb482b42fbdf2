"""What agents keep for themselves: their settings, and entries at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from kb import agents
from kb.console.forms import LARGEST_ID
from kb.console.views import agent_of
from kb.models import Channel, Entry, Manner

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Manner]
else:
    ModelForm = forms.ModelForm


class MannerForm(ModelForm):
    class Meta:
        model = Manner
        fields = ["shown_name", "greeting", "closing", "signature", "channel"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        channels = [("", "全部渠道"), *Channel.choices]
        self.fields["channel"].widget = forms.Select(choices=channels)


class FavourForm(forms.Form):
    keep = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    drop = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """Show and change how the agent speaks; a mistake changes nothing."""
    user = agent_of(request)
    form = MannerForm(request.POST or None, instance=agents.manner(user))
    if request.method == "POST" and _settled(form, request):
        messages.success(request, "已保存。", extra_tags="settings")
        return redirect("console:settings")
    return render(request, "console/settings/page.html", {"form": form})


def _settled(form: MannerForm, request: HttpRequest) -> bool:
    if not form.is_valid():
        return False
    try:
        agents.settle(agent_of(request), **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, ValidationError(error.messages))
        return False
    return True


@never_cache
@require_POST
def favourite(request: HttpRequest) -> HttpResponse:
    """Keep an entry at hand, or no more; 400, 403, 404 with a line.

    A script asks for JSON and gets {"kept": bool}; a page without one comes back.
    """
    user = agent_of(request)
    form = FavourForm(request.POST)
    form.is_valid()
    keep, drop = (form.cleaned_data.get(name) for name in ("keep", "drop"))
    if not (keep or drop):
        return _refused("没有收藏：格式不对。", 400)
    entry = Entry.objects.published_to(user).filter(pk=keep or drop or 0).first()
    if entry is None:
        return _refused("这条话术已下线。", 404)
    kept = agents.favour(entry, user=user, wanted=bool(keep))
    if request.accepts("text/html"):
        return redirect(reverse("console:home", query={"entry": entry.pk}))
    return JsonResponse({"kept": kept})


def _refused(said: str, status: int) -> HttpResponse:
    return HttpResponse(said, status=status, content_type="text/plain; charset=utf-8")
