"""接下来客户常问: a fragment for the preview, fetched after something was copied."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb import usage
from kb.library.entries import entry_lookup
from kb.web.console import forms
from kb.web.console.views import get_agent


@never_cache
@login_required
@require_safe
def show_follow_ups(request: HttpRequest) -> HttpResponse:
    """Show what customers ask next after ?entry=; 204 where that is unknown."""
    user = get_agent(request)
    console_request = forms.parse_console_request(request.GET)
    entry = entry_lookup.find_published_entry(console_request.entry_id, user=user)
    if entry is None:
        raise Http404("这条话术已下线。")
    next_entries = usage.list_next_entries(entry, user=user)
    if not next_entries:
        return HttpResponse(status=204)
    context = {"next_entries": next_entries, "console_request": console_request}
    return render(request, "console/home/_next_questions.html", context)
