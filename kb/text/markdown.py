"""Markdown to HTML that is safe to show, and to plain text."""

from __future__ import annotations

import html
import re
from functools import cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter, Scanned

from kb.text.normalize import HAN, clean

LONGEST = 65_536  # characters of Markdown; longer is refused by Entry
TAGS = frozenset(
    "p br hr h2 h3 h4 ul ol li blockquote pre code em strong s a img"
    " table thead tbody tr th td".split()
)
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
}
_CJK = re.compile(f"[{HAN}\u3000-\u30ff\uff00-\uffef]")
_TAG = re.compile(r"<[^>]*>")
_BLOCK_END = re.compile(r"</(?:p|li|h[2-4]|tr|pre|blockquote|t[hd])>|<br>|<hr>")


def render(source: str) -> str:
    """Return `source` as HTML of TAGS and ATTRIBUTES only.

    Raw HTML in the source is shown as text. Pictures from elsewhere are
    dropped: the page may load nothing that is not ours.
    """
    return nh3.clean(
        _parser().render(clean(source)),
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    )


def plain(rendered: str) -> str:
    """Return the text of HTML made by `render`, one block a line."""
    text = html.unescape(_TAG.sub("", _BLOCK_END.sub("\n", rendered)))
    return "\n".join(line for raw in text.split("\n") if (line := raw.strip()))


def _is_ours(address: str) -> bool:
    return address.startswith("/") and not address.startswith(("//", "/\\"))


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Keep pictures of our own site only, and no link that hides its host."""
    if name == "src" and not _is_ours(value):
        return None
    if name == "href" and value.startswith(("//", "/\\", "\\")):
        return None
    return value


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    parser.enable(["table", "strikethrough"])
    parser.core.ruler.push("headings_below_title", _lower_headings)
    parser.core.ruler.push("own_pictures_only", _name_foreign_pictures)
    parser.inline.ruler.at("emphasis", _emphasis)
    return parser


def _lower_headings(state: StateCore) -> None:
    """Headings begin at h2: the page's h1 is the question itself."""
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            level = min(int(token.tag[1]) + 1, 4)
            token.tag = f"h{level}"


def _name_foreign_pictures(state: StateCore) -> None:
    """Put a picture's alternative text where the picture is not ours."""
    for token in (child for block in state.tokens for child in block.children or ()):
        if token.type == "image" and not _is_ours(str(token.attrs.get("src", ""))):
            token.type, token.tag, token.children = "text", "", None


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Markdown-it's rule for * and _, but bold next to Chinese works.

    CommonMark wants a space or punctuation outside of **“退款”**后; a Han
    character does as well (the rule of the CJK-friendly amendments to
    CommonMark). `_` keeps the strict rule: it stands inside of names.
    """
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    scanned = state.scanDelims(state.pos, marker == "*")
    if marker == "*":
        scanned = _beside_han(state, scanned)
    for _ in range(scanned.length):
        state.push("text", "", 0).content = marker
        state.delimiters.append(
            Delimiter(
                marker=ord(marker),
                length=scanned.length,
                token=len(state.tokens) - 1,
                end=-1,
                open=scanned.can_open,
                close=scanned.can_close,
            )
        )
    state.pos += scanned.length
    return True


def _beside_han(state: StateInline, scanned: Scanned) -> Scanned:
    end = state.pos + scanned.length
    before = state.src[state.pos - 1] if state.pos else " "
    after = state.src[end] if end < state.posMax else " "
    return Scanned(
        scanned.can_open or (bool(_CJK.match(before)) and not after.isspace()),
        scanned.can_close or (bool(_CJK.match(after)) and not before.isspace()),
        scanned.length,
    )
