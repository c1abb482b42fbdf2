"""An agent copied a reply: the search learns which entry answered which words."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from kb import feedback
from kb.console.forms import PickForm
from kb.console.views import agent_of
from kb.models import Entry, Pick, Side


@never_cache
@require_POST
def pick(request: HttpRequest) -> HttpResponse:
    """Record one copy and the search before it. 204; 400, 403 or 404 with one line."""
    user = agent_of(request)
    form = PickForm(request.POST)
    if not form.is_valid():
        return _refused("没有记下：缺少搜索的话或条目，或者格式不对。", 400)
    given = form.cleaned_data
    entry = Entry.objects.published_to(user).filter(pk=given["entry"]).first()
    if entry is None:
        return _refused("这条话术已下线。", 404)
    if given["reply"] and not entry.replies.filter(pk=given["reply"]).exists():
        return _refused("没有记下：这条话术不属于这个条目。", 400)
    words, rank, total = given["q"], given["rank"], given["total"]
    feedback.record(
        words, user=user, results=max(total or 0, 1), entry=entry, rank=rank
    )
    feedback.pick(
        entry,
        words=words,
        person=feedback.colleague(user),
        side=Side.STAFF,
        kind=Pick.Kind.COPIED,
        rank=rank,
    )
    return HttpResponse(status=204)


def _refused(said: str, status: int) -> HttpResponse:
    return HttpResponse(said, status=status, content_type="text/plain; charset=utf-8")
