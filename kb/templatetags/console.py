"""Filters and tags of the console: replies with their blanks, badges, differences."""

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
from kb.text.placeholders import blanks

OwnBlankValues = Mapping[str, str] | None  # of reserved blanks, from the profile
PASSAGE_LINE_CHARS = 60  # one line of the list
register = template.Library()


class ListRow(Protocol):
    """A row of the list: an entry with the texts that can be sent."""

    @property
    def entry(self) -> Entry: ...

    @property
    def variants(self) -> Sequence[Reply]: ...


@register.filter
def mark_blanks(body: str, own_values: OwnBlankValues = None) -> SafeString:
    """Return `body` escaped, with every blank in an element of its own.

    The text is split here, so that scripts that fill blanks need no grammar.
    `own_values` are those of the agent's profile.
    """
    pieces = blanks.split_body(_expand_body(body, own_values))
    return format_html_join("", "{}", ((_render_piece(piece),) for piece in pieces))


@register.filter
def list_fillable_blanks(
    body: str, own_values: OwnBlankValues = None
) -> list[blanks.Blank]:
    """Return the blanks of `body` that the agent fills in, each once."""
    return blanks.list_blanks(_expand_body(body, own_values))


@register.filter
def list_blank_faults(body: str) -> list[str]:
    """Return the syntax errors of blanks in `body`."""
    return blanks.describe_blank_faults(body)


@register.filter
def get_first_line(body: str) -> str:
    """Return the first line of `body`, with blanks as 〔name〕."""
    return blanks.render_unfilled(next(iter(body.strip().splitlines()), ""))


@register.filter
def highlight_reply_passage(row: ListRow, terms: Iterable[str]) -> SafeString:
    """Return the first passage of the replies or the answer with `terms`, marked.

    Without a match, the first line of the first reply.
    """
    bodies = (blanks.render_unfilled(reply.text) for reply in row.variants)
    best = passage.find_first_passage(
        (*bodies, row.entry.answer_text), terms, PASSAGE_LINE_CHARS
    )
    if best.marks:
        return highlight.highlight_spans(best.text, best.marks)
    return conditional_escape(
        get_first_line(row.variants[0].text) if row.variants else ""
    )


def _expand_body(body: str, own_values: OwnBlankValues) -> str:
    return chat_text.format_reply_for_chat(blanks.expand_blanks(body, own_values or {}))


def _render_piece(piece: blanks.BodyPiece) -> str | SafeString:
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
    changes: Mapping[int, ReplyChange], reply_id: int | None
) -> ReplyChange | None:
    """Return the change of the reply since the agent copied it, if there is one."""
    return changes.get(reply_id or 0) if changes else None


@register.filter
def render_difference(parts: Iterable[DiffPart]) -> SafeString:
    """Return the difference of two texts, with <del> and <ins>."""
    templates = {"gone": "<del>{}</del>", "new": "<ins>{}</ins>"}
    rows = (
        (format_html(templates[p.kind], p.text) if p.kind in templates else p.text,)
        for p in parts
    )
    return format_html_join("", "{}", rows)


@register.simple_tag
def render_validity_badge(entry: Entry) -> SafeString:
    """Return a badge with the validity of `entry`, and its date in the title."""
    state = entry.validity
    tone = {"soon": "warn", "over": "bad", "later": "warn"}.get(state, "ok")
    moment = entry.valid_from if state == Validity.NOT_YET else entry.valid_until
    when = timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
    title = f"{when} 起" if state == Validity.NOT_YET else f"到 {when}" if when else ""
    return format_html(
        '<span class="badge {}" title="{}">{}</span>', tone, title, state.label
    )


@register.filter
def explain_unsendable(entry: Entry) -> str:
    """Return why texts of `entry` must not be sent now, or an empty string."""
    if entry.is_in_force:
        return ""
    if entry.validity == Validity.EXPIRED and entry.valid_until:
        return f"{_format_date(entry.valid_until)}已过期，不能复制"
    begins = _format_date(entry.valid_from) if entry.valid_from else ""
    return f"{begins}才生效，现在不能复制"


def _format_date(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.year} 年 {local.month} 月 {local.day} 日"
