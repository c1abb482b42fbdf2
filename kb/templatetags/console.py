"""How replies look to an agent: blanks marked, and never a character changed."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from kb.text import blanks as replies

register = template.Library()


@register.filter
def blanks(body: str) -> SafeString:
    """Return `body` escaped, with every blank in an element of its own.

    The pieces stand as kb.text.blanks cut them, so that a page that fills them
    needs no second grammar: `data-blank` is the name, `data-raw` what is written.
    """
    return format_html_join("", "{}", ((_shown(p),) for p in replies.pieces(body)))


@register.filter
def blank_names(body: str) -> list[str]:
    """Return the names of the blanks of `body`, each once."""
    return replies.names(body)


@register.filter
def first_line(body: str) -> str:
    """Return the first line of `body`, its blanks as 〔name〕."""
    line = next(iter(body.strip().splitlines()), "")
    return "".join(f"〔{p.name}〕" if p.name else p.text for p in replies.pieces(line))


def _shown(piece: replies.Piece) -> str | SafeString:
    if not piece.name:
        return piece.text
    return format_html(
        '<span class="blank" data-blank="{}" data-raw="{}">〔{}〕</span>',
        piece.name,
        piece.text,
        piece.name,
    )
