"""What our Markdown has beyond CommonMark: callouts, anchors, sized pictures, wide tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

PICTURE = re.compile(r"/media/[0-9a-f]{32}-(\d{1,5})x(\d{1,5})\.webp")
ANCHOR = re.compile(r"s-[\w-]{1,60}")  # no other id of a page begins so
KINDS = {  # what stands in [!…]: the class of the box and its title
    "提示": "tip",
    "注意": "note",
    "警告": "warning",
}
_NAMES = {
    "tip": "提示",
    "note": "注意",
    "important": "注意",
    "warning": "警告",
    "caution": "警告",
}
_CALLOUT = re.compile(r"\[!([^\]\s]{1,12})\](?!\()[ \t]*\n?")
Say = Callable[[str], str]


def enable(parser: MarkdownIt) -> None:
    """Teach `parser` all of it."""
    parser.core.ruler.after("block", "callouts", _callouts)
    parser.core.ruler.push("anchors", _anchors)
    parser.core.ruler.push("other_script", _say)
    parser.add_render_rule("image", _picture)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)


# Callouts ------------------------------------------------------------------------


def _callouts(state: StateCore) -> None:
    """Make a quotation that begins with [!提示] a box of that kind."""
    open_quotes: list[Token | None] = []  # the box that each one has become
    for index, token in enumerate(state.tokens):
        if token.type == "blockquote_open":
            open_quotes.append(token if _is_callout(state.tokens, index) else None)
        elif token.type == "blockquote_close" and open_quotes.pop():
            token.tag = "div"


def _is_callout(tokens: Sequence[Token], index: int) -> bool:
    quote, paragraph, *after = tokens[index : index + 3]
    if paragraph.type != "paragraph_open":
        return False
    inline = after[0]
    found = _CALLOUT.match(inline.content)
    title = _kind(found[1]) if found else ""
    if found is None or title not in KINDS:
        return False
    quote.tag = "div"
    quote.attrs = {"class": f"callout {KINDS[title]}", "role": "note"}
    rest = inline.content[found.end() :]
    inline.content = f"**{title}**\n{rest}" if rest else f"**{title}**"
    return True


def _kind(word: str) -> str:
    return _NAMES.get(word.lower(), word)


# Headings ------------------------------------------------------------------------


def _anchors(state: StateCore) -> None:
    """Give headings ids that their words make, and no word of a page's own."""
    taken: dict[str, int] = {}  # how often each was wanted: no search from the start
    for opening, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type == "heading_open":
            opening.attrSet("id", _anchor(inline, taken))


def _anchor(inline: Token, taken: dict[str, int]) -> str:
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


def _picture(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    """Write a picture with its size, so that nothing jumps, inside a link to itself."""
    token = tokens[index]
    if size := PICTURE.fullmatch(str(token.attrs.get("src", ""))):
        token.attrs |= {"width": size[1], "height": size[2]}
    token.attrs |= {"loading": "lazy", "decoding": "async"}
    written = renderer.image(tokens, index, options, env)
    linked = any(one.type == "link_open" for one in tokens)
    if not size or linked:
        return written
    return f'<a class="picture" href="{size[0]}">{written}</a>'


def _table_open(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    """A wide table scrolls inside of a box that the keyboard reaches."""
    return '<div class="table" role="region" aria-label="表格" tabindex="0"><table>'


def _table_close(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    return "</table></div>\n"


# The other script ----------------------------------------------------------------


def _say(state: StateCore) -> None:
    """Say every text in the script that env["say"] writes; addresses stay."""
    say: Say | None = state.env.get("say")
    if say is None:
        return
    for token in state.tokens:
        _say_all(token.children or (), say)


def _say_all(tokens: Sequence[Token], say: Say) -> None:
    for token in tokens:
        if token.type == "text":
            token.content = say(token.content)
        if title := token.attrs.get("title"):
            token.attrs["title"] = say(str(title))
        _say_all(token.children or (), say)
