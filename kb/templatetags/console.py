"""How replies look to an agent: blanks marked, and never a character changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from django import template
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from kb.models import Entry, Reply, Validity
from kb.replies import Change
from kb.text import blanks as replies
from kb.text import highlight, message, passage
from kb.text.difference import Part

Own = Mapping[str, str] | None  # values of reserved blanks
PASSAGE = 60  # characters: one line of the list
register = template.Library()


class Row(Protocol):
    """An entry of the list with what can be sent of it."""

    @property
    def entry(self) -> Entry: ...

    @property
    def variants(self) -> Sequence[Reply]: ...


@register.filter
def blanks(body: str, own: Own = None) -> SafeString:
    """Return `body` escaped, with every blank in an element of its own.

    The pieces stand as kb.text.blanks cut them, so that a page that fills them
    needs no second grammar. `own` is what the agent's own settings say.
    """
    pieces = replies.pieces(_expanded(body, own))
    return format_html_join("", "{}", ((_shown(piece),) for piece in pieces))


@register.filter
def fields(body: str, own: Own = None) -> list[replies.Blank]:
    """Return the blanks of `body` that are asked for, each once."""
    return replies.fields(_expanded(body, own))


@register.filter
def faults(body: str) -> list[str]:
    """Return what is wrong with blanks of `body` that are none."""
    return replies.faults(body)


@register.filter
def first_line(body: str) -> str:
    """Return the first line of `body`, its blanks as 〔name〕."""
    return replies.shown(next(iter(body.strip().splitlines()), ""))


@register.filter
def telling(row: Row, terms: Iterable[str]) -> SafeString:
    """Return what of a row's replies or answer tells of `terms`, marked.

    Where none of these stands there, the first line of what would be sent.
    """
    bodies = (replies.shown(reply.text) for reply in row.variants)
    found = passage.first((*bodies, row.entry.answer_text), terms, PASSAGE)
    if found.marks:
        return highlight.wrap(found.text, found.marks)
    return conditional_escape(first_line(row.variants[0].text) if row.variants else "")


def _expanded(body: str, own: Own) -> str:
    return message.of_reply(replies.expand(body, own or {}))


def _shown(piece: replies.Piece) -> str | SafeString:
    if not (blank := piece.blank):
        return piece.text
    return format_html(
        '<span class="blank" data-blank="{}" data-kind="{}" data-initial="{}"'
        ' data-choices="{}" data-optional="{}">{}</span>',
        blank.name,
        blank.kind,
        blank.default,
        "\n".join(blank.choices),
        "yes" if blank.optional else "no",
        blank.written(""),
    )


@register.filter
def of(mapping: Mapping[int, Change], key: int | None) -> Change | None:
    """Return what `mapping` holds for `key`, maybe nothing."""
    return mapping.get(key or 0) if mapping else None


@register.filter
def difference(parts: Iterable[Part]) -> SafeString:
    """Return the stretches of two texts, what went and what came marked as such."""
    tags = {"gone": "<del>{}</del>", "new": "<ins>{}</ins>"}
    drawn = (
        (format_html(tags[p.kind], p.text) if p.kind in tags else p.text,)
        for p in parts
    )
    return format_html_join("", "{}", drawn)


@register.simple_tag
def validity(entry: Entry) -> SafeString:
    """Return a badge that says whether `entry` is in force, and until when."""
    state = entry.validity
    tone = {"soon": "warn", "over": "bad", "later": "warn"}.get(state, "ok")
    moment = entry.valid_from if state == Validity.LATER else entry.valid_until
    when = timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
    said = f"{when} 起" if state == Validity.LATER else f"到 {when}" if when else ""
    return format_html(
        '<span class="badge {}" title="{}">{}</span>', tone, said, state.label
    )


@register.filter
def barred(entry: Entry) -> str:
    """Return why nothing of `entry` may be sent now, or nothing."""
    if entry.in_force:
        return ""
    if entry.validity == Validity.OVER and entry.valid_until:
        return f"{_day(entry.valid_until)}已过期，不能复制"
    begins = _day(entry.valid_from) if entry.valid_from else ""
    return f"{begins}才生效，现在不能复制"


def _day(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.year} 年 {local.month} 月 {local.day} 日"
