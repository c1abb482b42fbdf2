"""Snippets change in one place, and with them all that includes them, at once."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.db import transaction

from kb.library import text_gate
from kb.models import Reply, Snippet, User
from kb.text.placeholders import snippets

MAX_NAMED_USES = 5  # places named in a refusal


def save_snippet(snippet: Snippet, *, by: User | None = None) -> Snippet:
    """Save `snippet` as far as `by` may, and what includes it says so from now on.

    A name that is in use stays. Raises ValidationError.
    """
    return text_gate.save_text_row(snippet, by=by, write=store_snippet_and_refresh)


@transaction.atomic
def store_snippet_and_refresh(snippet: Snippet) -> Snippet:
    """Write a snippet that has passed the gate, and refresh what includes it."""
    before = Snippet.objects.select_for_update().filter(pk=snippet.pk).first()
    snippet.full_clean()
    renamed = before is not None and before.name != snippet.name
    if before and renamed and (places := describe_snippet_uses(before)):
        raise ValidationError({"name": f"正在使用，不能改名：{places}。"})
    snippet.save()
    if before and renamed:
        for reply in _find_including_replies({before.name}, shared=False):
            reply.body = snippets.rename_includes(reply.body, before.name, snippet.name)
            reply.save()
    refresh_including_replies(snippet.name)
    return snippet


@transaction.atomic
def delete_snippet(snippet: Snippet, *, by: User | None = None) -> None:
    """Delete `snippet` unless editors' texts include it.

    Who includes it in words of his own keeps what they say: of these nobody else
    may know, so they cannot be named, nor stand in the way.
    """
    if places := describe_snippet_uses(snippet):
        raise ValidationError(f"「{snippet}」正在使用，不能删除：{places}。")
    bodies = Snippet.objects.bodies_by_name()
    only = {snippet.name: snippets.expand_snippets(snippet.body, bodies)}
    for reply in _find_including_replies({snippet.name}, shared=False):
        reply.body = snippets.expand_snippets(reply.body, only)
        reply.save()
    text_gate.delete_text_row(snippet, by=by)


def describe_snippet_uses(snippet: Snippet) -> str:
    """Return where editors include `snippet`, as people name it, maybe nothing."""
    shared = _find_including_replies({snippet.name}, shared=True)
    places = [f"条目「{reply.entry}」的话术「{reply.label}」" for reply in shared]
    others = Snippet.objects.exclude(pk=snippet.pk).bodies_by_name()
    names = [
        n
        for n, body in others.items()
        if snippet.name in snippets.list_included_snippets(body)
    ]
    places += [f"片段「{name}」" for name in names]
    more = f"等 {len(places)} 处" if len(places) > MAX_NAMED_USES else ""
    return "、".join(places[:MAX_NAMED_USES]) + more


def refresh_including_replies(name: str) -> None:
    """Put together anew what includes the snippet `name`, directly or not."""
    changed = {
        name,
        *snippets.find_including_snippets(name, Snippet.objects.bodies_by_name()),
    }
    for reply in _find_including_replies(changed):
        reply.save(update_fields=["text"])


def _find_including_replies(
    names: set[str], *, shared: bool | None = None
) -> Iterator[Reply]:
    holding = Reply.objects.filter(body__contains="{{").filter(body__contains=">")
    found = holding.select_related("entry")
    if shared is not None:
        found = found.shared() if shared else found.private()
    for reply in found.order_by("pk"):
        if names & set(snippets.list_included_snippets(reply.body)):
            yield reply
