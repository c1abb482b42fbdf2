"""Record what an agent copied: search learns which entry answered which words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from kb.models import Entry, Reply, User
from kb.usage import copied_texts
from kb.usage.copied_texts import CopiedEntry
from kb.web.console import forms
from kb.web.console.responses import make_text_response
from kb.web.console.views import get_agent


@never_cache
@require_POST
def record_copied_text(request: HttpRequest) -> HttpResponse:
    """Record one copied text and the searches before it, all or nothing.

    Returns 204, or 400, 403 or 404 with a line of text.
    """
    user = get_agent(request)
    rows = forms.parse_copied_entries(request.POST)
    context_form = forms.CopyContextForm(request.POST)
    if rows is None or not context_form.is_valid():
        return make_text_response("没有记下：缺少条目，或者格式不对。", 400)
    try:
        copied_entries = [_load_copied_entry(row, user=user) for row in rows]
    except Entry.DoesNotExist:
        return make_text_response("这条话术已下线。", 404)
    except Reply.DoesNotExist:
        return make_text_response("没有记下：这条话术不属于这个条目。", 400)
    copied_texts.record_copied_text(
        copied_entries, by=user, facts=context_form.cleaned_data
    )
    return HttpResponse(status=204)


def _load_copied_entry(row: Mapping[str, Any], *, user: User) -> CopiedEntry:
    entry, reply = copied_texts.find_copied_entry(row["entry"], row["reply"], user=user)
    return CopiedEntry(entry, reply, row["q"], row["rank"], row["total"])
