"""How replies look to an agent: blanks marked, and never a character changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from django import template
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from kb.library.replies import ReplyChange
from kb.models import Entry, Reply, Validity
from kb.text.markup import chat_text, highlight, passage
from kb.text.markup.text_diff import DiffPart
from kb.text.placeholders import blanks as replies

OwnBlankValues = Mapping[str, str] | None  # values of reserved blanks
PASSAGE_LINE_CHARS = 60  # characters: one line of the list
register = template.Library()


class ListRow(Protocol):
    """An entry of the list with what can be sent of it."""

    @property
    def entry(self) -> Entry: ...

    @property
    def variants(self) -> Sequence[Reply]: ...


@register.filter
def mark_blanks(body: str, own: OwnBlankValues = None) -> SafeString:
    """Return `body` escaped, with every blank in an element of its own.

    The pieces stand as kb.text.placeholders.blanks cut them, so that a page that fills them
    needs no second grammar. `own` is what the agent's own settings say.
    """
    pieces = replies.split_body(_expand_body(body, own))
    return format_html_join("", "{}", ((_render_piece(piece),) for piece in pieces))


@register.filter
def list_fillable_blanks(body: str, own: OwnBlankValues = None) -> list[replies.Blank]:
    """Return the blanks of `body` that are asked for, each once."""
    return replies.list_blanks(_expand_body(body, own))


@register.filter
def list_blank_faults(body: str) -> list[str]:
    """Return what is wrong with blanks of `body` that are none."""
    return replies.describe_blank_faults(body)


@register.filter
def get_first_line(body: str) -> str:
    """Return the first line of `body`, its blanks as 〔name〕."""
    return replies.render_unfilled(next(iter(body.strip().splitlines()), ""))


@register.filter
def highlight_reply_passage(row: ListRow, terms: Iterable[str]) -> SafeString:
    """Return what of a row's replies or answer tells of `terms`, marked.

    Where none of these stands there, the first line of what would be sent.
    """
    bodies = (replies.render_unfilled(reply.text) for reply in row.variants)
    found = passage.find_first_passage(
        (*bodies, row.entry.answer_text), terms, PASSAGE_LINE_CHARS
    )
    if found.marks:
        return highlight.highlight_spans(found.text, found.marks)
    return conditional_escape(
        get_first_line(row.variants[0].text) if row.variants else ""
    )


def _expand_body(body: str, own: OwnBlankValues) -> str:
    return chat_text.format_reply_for_chat(replies.expand_blanks(body, own or {}))


def _render_piece(piece: replies.BodyPiece) -> str | SafeString:
    if not (blank := piece.blank):
        return piece.text
    return format_html(
        '<span class="blank" data-blank="{}" data-kind="{}" data-initial="{}"'
        ' data-choices="{}" data-optional="{}">{}</span>',
        blank.name,
        blank.kind,
        blank.default,
        "\n".join(blank.choices),
        "yes" if blank.is_optional else "no",
        blank.render_value(""),
    )


@register.filter
def get_change(
    mapping: Mapping[int, ReplyChange], key: int | None
) -> ReplyChange | None:
    """Return what `mapping` holds for `key`, maybe nothing."""
    return mapping.get(key or 0) if mapping else None


@register.filter
def render_difference(parts: Iterable[DiffPart]) -> SafeString:
    """Return the stretches of two texts, what went and what came marked as such."""
    tags = {"gone": "<del>{}</del>", "new": "<ins>{}</ins>"}
    drawn = (
        (format_html(tags[p.kind], p.text) if p.kind in tags else p.text,)
        for p in parts
    )
    return format_html_join("", "{}", drawn)


@register.simple_tag
def render_validity_badge(entry: Entry) -> SafeString:
    """Return a badge that says whether `entry` is in force, and until when."""
    state = entry.validity
    tone = {"soon": "warn", "over": "bad", "later": "warn"}.get(state, "ok")
    moment = entry.valid_from if state == Validity.NOT_YET else entry.valid_until
    when = timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
    said = f"{when} 起" if state == Validity.NOT_YET else f"到 {when}" if when else ""
    return format_html(
        '<span class="badge {}" title="{}">{}</span>', tone, said, state.label
    )


@register.filter
def explain_unsendable(entry: Entry) -> str:
    """Return why nothing of `entry` may be sent now, or nothing."""
    if entry.is_in_force:
        return ""
    if entry.validity == Validity.EXPIRED and entry.valid_until:
        return f"{_format_date(entry.valid_until)}已过期，不能复制"
    begins = _format_date(entry.valid_from) if entry.valid_from else ""
    return f"{begins}才生效，现在不能复制"


def _format_date(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.year} 年 {local.month} 月 {local.day} 日"
