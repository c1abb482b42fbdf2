"""Record searches after which nothing was copied: they show what the library lacks."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from kb import usage
from kb.web.console.forms import SingleLineField
from kb.web.console.responses import make_text_response
from kb.web.console.views import get_agent

MAX_RESULT_COUNT = 10_000  # the count comes from the browser and may be forged


class SearchMissForm(forms.Form):
    q = SingleLineField(required=False)
    total = forms.IntegerField(required=False, min_value=0, max_value=MAX_RESULT_COUNT)


@never_cache
@require_POST
def record_search_miss(request: HttpRequest) -> HttpResponse:
    """Record a search whose results were not used; return 204, or 400."""
    user = get_agent(request)
    form = SearchMissForm(request.POST)
    if not form.is_valid() or not form.cleaned_data["q"]:
        return make_text_response("没有记下：格式不对。", 400)
    result_count = form.cleaned_data["total"] or 0
    usage.record_search(form.cleaned_data["q"], user=user, results=result_count)
    return HttpResponse(status=204)
