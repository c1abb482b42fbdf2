"""Markdown beyond CommonMark: callouts, anchors, sizes of pictures, wide tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

PICTURE_URL_PATTERN = re.compile(r"/media/[0-9a-f]{32}-(\d{1,5})x(\d{1,5})\.webp")
HEADING_ANCHOR_PATTERN = re.compile(r"s-[\w-]{1,60}")  # no other id of a page begins so
CALLOUT_CLASS_BY_TITLE = {  # {title in [!…]: class of the box}
    "提示": "tip",
    "注意": "note",
    "警告": "warning",
}
_CALLOUT_CLASS_TITLES = {
    "tip": "提示",
    "note": "注意",
    "important": "注意",
    "warning": "警告",
    "caution": "警告",
}
_CALLOUT_PATTERN = re.compile(r"\[!([^\]\s]{1,12})\](?!\()[ \t]*\n?")
TextConverter = Callable[[str], str]


def enable_extensions(parser: MarkdownIt) -> None:
    """Add all extensions to `parser`."""
    parser.core.ruler.after("block", "callouts", _convert_callouts)
    parser.core.ruler.push("anchors", _add_heading_anchors)
    parser.core.ruler.push("other_script", _convert_script)
    parser.add_render_rule("image", _render_picture)
    parser.add_render_rule("table_open", _render_table_open)
    parser.add_render_rule("table_close", _render_table_close)


# Callouts ------------------------------------------------------------------------


def _convert_callouts(state: StateCore) -> None:
    """Make a quotation that begins with [!提示] a box of that kind."""
    open_quotes: list[Token | None] = []  # the box that each one has become
    for index, token in enumerate(state.tokens):
        if token.type == "blockquote_open":
            open_quotes.append(
                token if _try_make_callout(state.tokens, index) else None
            )
        elif token.type == "blockquote_close" and open_quotes.pop():
            token.tag = "div"


def _try_make_callout(tokens: Sequence[Token], index: int) -> bool:
    quote, paragraph, *after = tokens[index : index + 3]
    if paragraph.type != "paragraph_open":
        return False
    inline = after[0]
    found = _CALLOUT_PATTERN.match(inline.content)
    title = _normalize_callout_title(found[1]) if found else ""
    if found is None or title not in CALLOUT_CLASS_BY_TITLE:
        return False
    quote.tag = "div"
    quote.attrs = {"class": f"callout {CALLOUT_CLASS_BY_TITLE[title]}", "role": "note"}
    rest = inline.content[found.end() :]
    inline.content = f"**{title}**\n{rest}" if rest else f"**{title}**"
    return True


def _normalize_callout_title(word: str) -> str:
    return _CALLOUT_CLASS_TITLES.get(word.lower(), word)


# Headings ------------------------------------------------------------------------


def _add_heading_anchors(state: StateCore) -> None:
    """Give headings ids that their words make, and no word of a page's own."""
    taken: dict[str, int] = {}  # how often each was wanted: no search from the start
    for opening, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type == "heading_open":
            opening.attrSet("id", _make_anchor(inline, taken))


def _make_anchor(inline: Token, taken: dict[str, int]) -> str:
    words = "".join(child.content for child in inline.children or ())
    wanted = "s-" + (re.sub(r"[\W_]+", "-", words).strip("-")[:40] or "1")
    number = taken.get(wanted, 0)
    anchor = f"{wanted}-{number + 1}" if number else wanted
    while anchor in taken:
        number += 1
        anchor = f"{wanted}-{number + 1}"
    taken[wanted] = number + 1
    taken.setdefault(anchor, 1)
    return anchor


# Pictures and tables -------------------------------------------------------------


def _render_picture(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    """Write a picture with its size, so that nothing jumps, inside a link to itself."""
    token = tokens[index]
    if size := PICTURE_URL_PATTERN.fullmatch(str(token.attrs.get("src", ""))):
        token.attrs |= {"width": size[1], "height": size[2]}
    token.attrs |= {"loading": "lazy", "decoding": "async"}
    written = renderer.image(tokens, index, options, env)
    linked = any(one.type == "link_open" for one in tokens)
    if not size or linked:
        return written
    return f'<a class="picture" href="{size[0]}">{written}</a>'


def _render_table_open(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    """A wide table scrolls inside of a box that the keyboard reaches."""
    return '<div class="table" role="region" aria-label="表格" tabindex="0"><table>'


def _render_table_close(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    return "</table></div>\n"


# The other script ----------------------------------------------------------------


def _convert_script(state: StateCore) -> None:
    """Convert every text by env["say"] to another script; addresses stay."""
    say: TextConverter | None = state.env.get("say")
    if say is None:
        return
    for token in state.tokens:
        _convert_tokens(token.children or (), say)


def _convert_tokens(tokens: Sequence[Token], say: TextConverter) -> None:
    for token in tokens:
        if token.type == "text":
            token.content = say(token.content)
        if title := token.attrs.get("title"):
            token.attrs["title"] = say(str(title))
        _convert_tokens(token.children or (), say)
