"""Snippets change in one place, and with them all that includes them, at once."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.db import transaction

from kb import text_gate
from kb.models import Reply, Snippet, User
from kb.text import snippets

SHOWN = 5  # places named in a refusal


def put(snippet: Snippet, *, by: User | None = None) -> Snippet:
    """Save `snippet` as far as `by` may, and what includes it says so from now on.

    A name that is in use stays. Raises ValidationError.
    """
    return text_gate.save(snippet, by=by, write=write_snippet)


@transaction.atomic
def write_snippet(snippet: Snippet) -> Snippet:
    """Write a snippet that has passed the gate, and refresh what includes it."""
    before = Snippet.objects.select_for_update().filter(pk=snippet.pk).first()
    snippet.full_clean()
    renamed = before is not None and before.name != snippet.name
    if before and renamed and (places := used_in(before)):
        raise ValidationError({"name": f"正在使用，不能改名：{places}。"})
    snippet.save()
    if before and renamed:
        for reply in _including({before.name}, shared=False):
            reply.body = snippets.renamed(reply.body, before.name, snippet.name)
            reply.save()
    refresh(snippet.name)
    return snippet


@transaction.atomic
def remove(snippet: Snippet, *, by: User | None = None) -> None:
    """Delete `snippet` unless editors' texts include it.

    Who includes it in words of his own keeps what they say: of these nobody else
    may know, so they cannot be named, nor stand in the way.
    """
    if places := used_in(snippet):
        raise ValidationError(f"「{snippet}」正在使用，不能删除：{places}。")
    bodies = Snippet.objects.bodies()
    only = {snippet.name: snippets.expand(snippet.body, bodies)}
    for reply in _including({snippet.name}, shared=False):
        reply.body = snippets.expand(reply.body, only)
        reply.save()
    text_gate.delete(snippet, by=by)


def used_in(snippet: Snippet) -> str:
    """Return where editors include `snippet`, as people name it, maybe nothing."""
    shared = _including({snippet.name}, shared=True)
    places = [f"条目「{reply.entry}」的话术「{reply.label}」" for reply in shared]
    others = Snippet.objects.exclude(pk=snippet.pk).bodies()
    names = [n for n, body in others.items() if snippet.name in snippets.names(body)]
    places += [f"片段「{name}」" for name in names]
    more = f"等 {len(places)} 处" if len(places) > SHOWN else ""
    return "、".join(places[:SHOWN]) + more


def refresh(name: str) -> None:
    """Put together anew what includes the snippet `name`, directly or not."""
    changed = {name, *snippets.users(name, Snippet.objects.bodies())}
    for reply in _including(changed):
        reply.save(update_fields=["text"])


def _including(names: set[str], *, shared: bool | None = None) -> Iterator[Reply]:
    holding = Reply.objects.filter(body__contains="{{").filter(body__contains=">")
    found = holding.select_related("entry")
    if shared is not None:
        found = found.shared() if shared else found.kept()
    for reply in found.order_by("pk"):
        if names & set(snippets.names(reply.body)):
            yield reply
