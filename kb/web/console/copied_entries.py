"""An agent copied something: the search learns which entry answered which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from kb import usage
from kb.models import CopyEvent, Entry, Pick, Reply, SearchSide, User
from kb.web.console import forms
from kb.web.console.views import get_agent


@dataclass(frozen=True, slots=True)
class CopiedEntry:
    """An entry that was copied, and what was asked before."""

    entry: Entry | None  # a reply of one's own may have none
    reply: Reply | None
    copy_values: Mapping[str, Any]


@never_cache
@require_POST
def record_copied_text(request: HttpRequest) -> HttpResponse:
    """Record one copied text and the searches before it, whole or not at all.

    204; 400, 403 or 404 with one line. Without words there was no search.
    """
    user = get_agent(request)
    given, form = (
        forms.parse_copied_entries(request.POST),
        forms.CopyContextForm(request.POST),
    )
    if given is None or not form.is_valid():
        return _refuse_request("没有记下：缺少条目，或者格式不对。", 400)
    try:
        found = [_load_copied_entry(one, user=user) for one in given]
    except Entry.DoesNotExist:
        return _refuse_request("这条话术已下线。", 404)
    except Reply.DoesNotExist:
        return _refuse_request("没有记下：这条话术不属于这个条目。", 400)
    _record_copies(found, form.cleaned_data, user=user)
    return HttpResponse(status=204)


def _load_copied_entry(given: Mapping[str, Any], *, user: User) -> CopiedEntry:
    """Return what was copied. Raises DoesNotExist where this agent may not."""
    live = Entry.objects.published_to(user).in_force()
    readable = Reply.objects.readable_by(user)
    if given["entry"] is None:
        reply = Reply.objects.private_to(user).get(pk=given["reply"])
        entry = live.get(pk=reply.entry_id) if reply.entry_id else None
        return CopiedEntry(entry, reply, given)
    entry = live.get(pk=given["entry"])
    if not given["reply"]:
        return CopiedEntry(entry, None, given)
    return CopiedEntry(entry, readable.get(entry=entry, pk=given["reply"]), given)


@transaction.atomic
def _record_copies(
    taken: Sequence[CopiedEntry], how: Mapping[str, Any], *, user: User
) -> None:
    how = {**how, "kind": how["kind"] or CopyEvent.Kind.REPLY}
    for one in taken:
        words, rank = one.copy_values["q"], one.copy_values["rank"]
        usage.record_copy(
            one.entry, by=user, reply=one.reply, words=words, rank=rank, **how
        )
        if words and one.entry:  # words without an entry teach nothing
            _record_pick(one, one.entry, user=user)


def _record_pick(taken: CopiedEntry, entry: Entry, *, user: User) -> None:
    words, rank = taken.copy_values["q"], taken.copy_values["rank"]
    results = max(taken.copy_values["total"] or 0, 1)
    usage.record_search(words, user=user, results=results, entry=entry, rank=rank)
    usage.record_pick(
        entry,
        words=words,
        person=usage.build_colleague_key(user),
        side=SearchSide.STAFF,
        kind=Pick.Kind.COPIED,
        rank=rank,
    )


def _refuse_request(said: str, status: int) -> HttpResponse:
    return HttpResponse(said, status=status, content_type="text/plain; charset=utf-8")
