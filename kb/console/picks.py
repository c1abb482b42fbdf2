"""An agent copied something: the search learns which entry answered which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from kb import feedback
from kb.console import forms
from kb.console.views import agent_of
from kb.models import Copy, Entry, Pick, Reply, Side, User


@dataclass(frozen=True, slots=True)
class Taken:
    """An entry that was copied, and what was asked before."""

    entry: Entry | None  # a reply of one's own may have none
    reply: Reply | None
    asked: Mapping[str, Any]


@never_cache
@require_POST
def pick(request: HttpRequest) -> HttpResponse:
    """Record one copied text and the searches before it, whole or not at all.

    204; 400, 403 or 404 with one line. Without words there was no search.
    """
    user = agent_of(request)
    given, form = forms.taken(request.POST), forms.CopyForm(request.POST)
    if given is None or not form.is_valid():
        return _refused("没有记下：缺少条目，或者格式不对。", 400)
    try:
        found = [_taken(one, user=user) for one in given]
    except Entry.DoesNotExist:
        return _refused("这条话术已下线。", 404)
    except Reply.DoesNotExist:
        return _refused("没有记下：这条话术不属于这个条目。", 400)
    _record(found, form.cleaned_data, user=user)
    return HttpResponse(status=204)


def _taken(given: Mapping[str, Any], *, user: User) -> Taken:
    """Return what was copied. Raises DoesNotExist where this agent may not."""
    live = Entry.objects.published_to(user).in_force()
    readable = Reply.objects.readable_by(user)
    if given["entry"] is None:
        reply = Reply.objects.kept_by(user).get(pk=given["reply"])
        entry = live.get(pk=reply.entry_id) if reply.entry_id else None
        return Taken(entry, reply, given)
    entry = live.get(pk=given["entry"])
    if not given["reply"]:
        return Taken(entry, None, given)
    return Taken(entry, readable.get(entry=entry, pk=given["reply"]), given)


@transaction.atomic
def _record(taken: Sequence[Taken], how: Mapping[str, Any], *, user: User) -> None:
    how = {**how, "kind": how["kind"] or Copy.Kind.REPLY}
    for one in taken:
        words, rank = one.asked["q"], one.asked["rank"]
        feedback.copied(
            one.entry, by=user, reply=one.reply, words=words, rank=rank, **how
        )
        if words and one.entry:  # words without an entry teach nothing
            _teach(one, one.entry, user=user)


def _teach(taken: Taken, entry: Entry, *, user: User) -> None:
    words, rank = taken.asked["q"], taken.asked["rank"]
    results = max(taken.asked["total"] or 0, 1)
    feedback.record(words, user=user, results=results, entry=entry, rank=rank)
    feedback.pick(
        entry,
        words=words,
        person=feedback.colleague(user),
        side=Side.STAFF,
        kind=Pick.Kind.COPIED,
        rank=rank,
    )


def _refused(said: str, status: int) -> HttpResponse:
    return HttpResponse(said, status=status, content_type="text/plain; charset=utf-8")
