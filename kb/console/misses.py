"""An agent searched and copied nothing: what the library lacks is seen from this."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from kb import feedback
from kb.console.forms import Words
from kb.console.views import agent_of

MOST = 10_000  # results that anybody could claim to have had


class MissForm(forms.Form):
    q = Words(required=False)
    total = forms.IntegerField(required=False, min_value=0, max_value=MOST)


@never_cache
@require_POST
def miss(request: HttpRequest) -> HttpResponse:
    """Record a search of which nothing was used: 204, or 400."""
    user = agent_of(request)
    form = MissForm(request.POST)
    if not form.is_valid() or not form.cleaned_data["q"]:
        return HttpResponse(
            "没有记下：格式不对。", status=400, content_type="text/plain"
        )
    total = form.cleaned_data["total"] or 0
    feedback.record(form.cleaned_data["q"], user=user, results=total)
    return HttpResponse(status=204)
