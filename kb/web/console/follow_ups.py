"""接下来客户常问: a fragment for the preview, asked for once something was copied."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb import usage
from kb.models import Entry
from kb.web.console import forms
from kb.web.console.views import get_agent


@never_cache
@login_required
@require_safe
def show_follow_ups(request: HttpRequest) -> HttpResponse:
    """Show what is asked after ?entry=; 204 when nobody knows."""
    user = get_agent(request)
    asked = forms.parse_console_request(request.GET)
    live = Entry.objects.published_to(user)
    entry = live.filter(pk=asked.entry_id).first() if asked.entry_id else None
    if entry is None:
        raise Http404("这条话术已下线。")
    found = usage.list_next_entries(entry, user=user)
    if not found:
        return HttpResponse(status=204)
    return render(
        request, "console/home/_next_questions.html", {"sequels": found, "asked": asked}
    )
