"""An agent searched and copied nothing: what the library lacks is seen from this."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from kb import usage
from kb.web.console.forms import SingleLineField
from kb.web.console.views import get_agent

MAX_CLAIMED_RESULTS = 10_000  # results that anybody could claim to have had


class SearchMissForm(forms.Form):
    q = SingleLineField(required=False)
    total = forms.IntegerField(
        required=False, min_value=0, max_value=MAX_CLAIMED_RESULTS
    )


@never_cache
@require_POST
def record_search_miss(request: HttpRequest) -> HttpResponse:
    """Record a search of which nothing was used: 204, or 400."""
    user = get_agent(request)
    form = SearchMissForm(request.POST)
    if not form.is_valid() or not form.cleaned_data["q"]:
        return HttpResponse(
            "没有记下：格式不对。", status=400, content_type="text/plain"
        )
    total = form.cleaned_data["total"] or 0
    usage.record_search(form.cleaned_data["q"], user=user, results=total)
    return HttpResponse(status=204)
