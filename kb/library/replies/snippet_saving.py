"""Save and delete snippets, and refresh the replies that include them.

A reply includes a snippet by {{> name}}; its column `text` holds the expanded text.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.db import transaction

from kb.library import text_gate
from kb.models import Reply, Snippet, User
from kb.text.placeholders import snippets

MAX_NAMED_USES = 5  # places listed in an error message


def save_snippet(snippet: Snippet, *, by: User | None = None) -> Snippet:
    """Save `snippet` through the text gate and refresh the replies that include it.

    Raises ValidationError, also for a new name while shared texts use the old one.
    """
    return text_gate.save_text_row(snippet, by=by, write=store_snippet_and_refresh)


@transaction.atomic
def store_snippet_and_refresh(snippet: Snippet) -> Snippet:
    """Save a snippet that has passed the gate and refresh what includes it.

    Private replies follow a new name; shared texts that use the old name refuse it.
    """
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
    """Delete `snippet`; raises ValidationError while shared texts include it.

    In private replies the include is replaced by its text: other users may not know
    of these replies, so they neither appear in a message nor prevent the deletion.
    """
    if places := describe_snippet_uses(snippet):
        raise ValidationError(f"「{snippet}」正在使用，不能删除：{places}。")
    bodies = Snippet.objects.bodies_by_name()
    own_body = {snippet.name: snippets.expand_snippets(snippet.body, bodies)}
    for reply in _find_including_replies({snippet.name}, shared=False):
        reply.body = snippets.expand_snippets(reply.body, own_body)
        reply.save()
    text_gate.delete_text_row(snippet, by=by)


def describe_snippet_uses(snippet: Snippet) -> str:
    """Return the places where shared texts include `snippet`, in Chinese; "" for none."""
    shared = _find_including_replies({snippet.name}, shared=True)
    places = [f"条目「{reply.entry}」的话术「{reply.label}」" for reply in shared]
    others = Snippet.objects.exclude(pk=snippet.pk).bodies_by_name()
    snippet_names = [
        name
        for name, body in others.items()
        if snippet.name in snippets.list_included_snippets(body)
    ]
    places += [f"片段「{name}」" for name in snippet_names]
    total = f"等 {len(places)} 处" if len(places) > MAX_NAMED_USES else ""
    return "、".join(places[:MAX_NAMED_USES]) + total


def refresh_including_replies(name: str) -> None:
    """Expand again the replies that include the snippet `name`, directly or not."""
    names = {
        name,
        *snippets.find_including_snippets(name, Snippet.objects.bodies_by_name()),
    }
    for reply in _find_including_replies(names):
        reply.save(update_fields=["text"])


def _find_including_replies(
    names: set[str], *, shared: bool | None = None
) -> Iterator[Reply]:
    """Yield replies that include one of `names` directly; `shared` None means all."""
    with_include = Reply.objects.filter(body__contains="{{").filter(body__contains=">")
    replies = with_include.select_related("entry")
    if shared is not None:
        replies = replies.shared() if shared else replies.private()
    for reply in replies.order_by("pk"):
        if names & set(snippets.list_included_snippets(reply.body)):
            yield reply
