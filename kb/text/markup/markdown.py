"""Markdown to HTML that is safe to show, and to plain text."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter, Scanned

from kb.text.chinese.normalize import HAN_CHARACTER_CLASS, clean_text
from kb.text.markup import markdown_extensions

MAX_MARKDOWN_CHARS = 65_536  # characters of Markdown; longer is refused by Entry
# What the work of the parser grows with, at most some 20 µs each; ordinary long
# answers have a few hundred.
MARKUP_CHARACTERS = "[]*_~`<>|#!-+&\\\n"
MAX_MARKUP_CHARACTERS = 12_000
ALLOWED_TAGS = frozenset(
    "p br hr h2 h3 h4 ul ol li blockquote pre code em strong s a img div"
    " table thead tbody tr th td".split()
)
ALLOWED_ATTRIBUTES = {
    "a": {"href", "title", "class"},
    "img": {"src", "alt", "title", "width", "height", "loading", "decoding"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
    "div": {"class", "role", "aria-label", "tabindex"},  # boxes that we wrote
    "h2": {"id"},
    "h3": {"id"},
    "h4": {"id"},
}
ALLOWED_CLASSES = {
    "picture",
    "table",
    *(
        f"callout {kind}"
        for kind in markdown_extensions.CALLOUT_CLASS_BY_TITLE.values()
    ),
}
_CJK_PATTERN = re.compile(f"[{HAN_CHARACTER_CLASS}\u3000-\u30ff\uff00-\uffef]")
_HEADING_PATTERN = re.compile(r'<h([2-4]) id="([^"]+)">(.*?)</h\1>', re.DOTALL)
_TAG_PATTERN = re.compile(r"<[^>]*>")
_BLOCK_END_PATTERN = re.compile(r"</(?:p|li|h[2-4]|tr|pre|blockquote|t[hd])>|<br>|<hr>")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of an answer, as a table of contents names it."""

    level: int  # 2 to 4
    anchor: str
    text: str


def count_markup_characters(source: str) -> int:
    """Return how many characters of `source` may be Markdown syntax."""
    return sum(map(source.count, MARKUP_CHARACTERS))


def is_too_complex(source: str) -> bool:
    """Return whether parsing `source` could take longer than a page may take."""
    return (
        len(source) > MAX_MARKUP_CHARACTERS
        and count_markup_characters(source) > MAX_MARKUP_CHARACTERS
    )


def render_markdown(
    source: str, say: markdown_extensions.TextConverter | None = None
) -> str:
    """Return `source` as HTML of ALLOWED_TAGS and ALLOWED_ATTRIBUTES only.

    Raw HTML in the source is shown as text. Pictures of other sites are dropped: a
    page may load nothing from elsewhere. `say` converts the texts to another script;
    addresses and anchors stay. A source that is too complex is shown as written.
    """
    if is_too_complex(source):
        return _render_as_written(clean_text(source), say)
    return nh3.clean(
        _build_parser().render(clean_text(source), {"say": say} if say else {}),
        tags=set(ALLOWED_TAGS),
        attributes=ALLOWED_ATTRIBUTES,
        attribute_filter=_filter_attribute,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    )


def _render_as_written(
    source: str, say: markdown_extensions.TextConverter | None
) -> str:
    text = say(source) if say else source
    return f"<p>{html.escape(text, quote=False).replace(chr(10), '<br>')}</p>"


def extract_plain_text(rendered: str) -> str:
    """Return the text of HTML made by `render`, one block a line."""
    text = html.unescape(_TAG_PATTERN.sub("", _BLOCK_END_PATTERN.sub("\n", rendered)))
    return "\n".join(line for raw in text.split("\n") if (line := raw.strip()))


def extract_headings(rendered: str) -> list[Heading]:
    """Return the headings of HTML made by `render`, in order."""
    return [
        Heading(int(level), anchor, html.unescape(_TAG_PATTERN.sub("", text)))
        for level, anchor, text in _HEADING_PATTERN.findall(rendered)
    ]


def count_pictures_without_alt(source: str) -> int:
    """Return how many pictures have no alternative text."""
    if is_too_complex(source):
        return 0
    tokens = _build_parser().parse(clean_text(source))
    return sum(
        child.type == "image" and not child.content.strip()
        for block in tokens
        for child in block.children or ()
    )


def extract_link_urls(source: str) -> set[str]:
    """Return where the links and pictures of `source` lead, percent-encoded."""
    if is_too_complex(source):
        return set()
    tokens = [
        one
        for block in _build_parser().parse(clean_text(source))
        for one in block.children or ()
    ]
    named = ("href" if t.type == "link_open" else "src" for t in tokens)
    found = (str(t.attrs.get(n, "")) for t, n in zip(tokens, named, strict=True))
    return {address for address in found if address}


def _is_own_url(address: str) -> bool:
    return address.startswith("/") and not address.startswith(("//", "/\\"))


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    """Keep pictures of our own site only, and no link that hides its host."""
    if name == "class" and value not in ALLOWED_CLASSES:
        return None
    if name == "id" and not markdown_extensions.HEADING_ANCHOR_PATTERN.fullmatch(value):
        return None
    if name == "src" and not _is_own_url(value):
        return None
    if name == "href" and value.startswith(("//", "/\\", "\\")):
        return None
    return value


@cache
def _build_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    parser.enable(["table", "strikethrough"])
    markdown_extensions.enable_extensions(parser)
    parser.core.ruler.push("headings_below_title", _lower_headings)
    parser.core.ruler.push("own_pictures_only", _replace_foreign_pictures)
    parser.inline.ruler.at("emphasis", _parse_emphasis)
    return parser


def _lower_headings(state: StateCore) -> None:
    """Headings begin at h2 and skip none: the page's h1 is the question itself."""
    found = [t for t in state.tokens if t.type in {"heading_open", "heading_close"}]
    levels = sorted({token.tag for token in found})
    for token in found:
        token.tag = f"h{min(levels.index(token.tag) + 2, 4)}"


def _replace_foreign_pictures(state: StateCore) -> None:
    """Put a picture's alternative text where the picture is not ours."""
    for token in (child for block in state.tokens for child in block.children or ()):
        if token.type == "image" and not _is_own_url(str(token.attrs.get("src", ""))):
            token.type, token.tag, token.children = "text", "", None


def _parse_emphasis(state: StateInline, silent: bool) -> bool:
    """Markdown-it's rule for * and _, but bold next to Chinese works.

    CommonMark wants a space or punctuation outside of **“退款”**后; a Han
    character does as well (the rule of the CJK-friendly amendments to
    CommonMark). `_` keeps the strict rule: names hold it.
    """
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    scanned = state.scanDelims(state.pos, marker == "*")
    if marker == "*":
        scanned = _allow_emphasis_beside_han(state, scanned)
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


def _allow_emphasis_beside_han(state: StateInline, scanned: Scanned) -> Scanned:
    end = state.pos + scanned.length
    before = state.src[state.pos - 1] if state.pos else " "
    after = state.src[end] if end < state.posMax else " "
    return Scanned(
        scanned.can_open or (bool(_CJK_PATTERN.match(before)) and not after.isspace()),
        scanned.can_close or (bool(_CJK_PATTERN.match(after)) and not before.isspace()),
        scanned.length,
    )
