"""An agent's own settings, and the entries that they marked as favourites."""

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

from kb.accounts import preferences
from kb.library.entries import entry_lookup
from kb.models import AgentProfile, Channel
from kb.web.console.forms import MAX_ROW_ID
from kb.web.console.responses import make_text_response
from kb.web.console.views import get_agent

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[AgentProfile]
else:
    ModelForm = forms.ModelForm


class AgentProfileForm(ModelForm):
    class Meta:
        model = AgentProfile
        fields = ["shown_name", "greeting", "closing", "signature", "channel"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        channels = [("", "全部渠道"), *Channel.choices]
        self.fields["channel"].widget = forms.Select(choices=channels)


class FavoriteForm(forms.Form):
    keep = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    drop = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_preferences(request: HttpRequest) -> HttpResponse:
    """Show or save the agent's profile; an invalid form is shown with its errors."""
    user = get_agent(request)
    form = AgentProfileForm(
        request.POST or None, instance=preferences.get_agent_profile(user)
    )
    if request.method == "POST" and _save_preferences(form, request):
        messages.success(request, "已保存。", extra_tags="settings")
        return redirect("console:settings")
    return render(request, "console/settings/page.html", {"form": form})


def _save_preferences(form: AgentProfileForm, request: HttpRequest) -> bool:
    if not form.is_valid():
        return False
    try:
        preferences.save_agent_profile(get_agent(request), **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, ValidationError(error.messages))
        return False
    return True


@never_cache
@require_POST
def set_favorite(request: HttpRequest) -> HttpResponse:
    """Mark the entry `keep` as a favourite, or unmark the entry `drop`.

    A script gets {"kept": bool}; without a script, the response redirects to the
    console. 400, 403 or 404 with a line of text.
    """
    user = get_agent(request)
    form = FavoriteForm(request.POST)
    form.is_valid()
    keep, drop = (form.cleaned_data.get(name) for name in ("keep", "drop"))
    if not (keep or drop):
        return make_text_response("没有收藏：格式不对。", 400)
    entry = entry_lookup.find_published_entry(keep or drop, user=user)
    if entry is None:
        return make_text_response("这条话术已下线。", 404)
    is_favorite = preferences.set_favorite(entry, user=user, wanted=bool(keep))
    if request.accepts("text/html"):
        return redirect(reverse("console:home", query={"entry": entry.pk}))
    return JsonResponse({"kept": is_favorite})
