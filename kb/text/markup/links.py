"""Where the Markdown of an answer leads: its addresses, and where they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from kb.text.markup import markdown

# What may be one; the parser says what is. Linear: nothing is tried twice.
_LINK_TARGET_PATTERN = re.compile(
    r"\]\([ \t]*<?(?P<to>[^\s<>()]+)|^ {0,3}\[[^\]\n]{1,200}\]:[ \t]*<?(?P<at>[^\s<>]+)",
    re.M,
)


@dataclass(frozen=True, slots=True)
class MarkdownLink:
    """`address` as it is written, from `start` to `end` of the source."""

    address: str
    start: int
    end: int


def find_links(source: str) -> list[MarkdownLink]:
    """Return the links and pictures of `source`, in order; code has none."""
    written = list(_LINK_TARGET_PATTERN.finditer(source))
    if not written:
        return []
    real = {unquote(address) for address in markdown.extract_link_urls(source)}
    found = []
    for match in written:
        group = "to" if match["to"] else "at"
        if unquote(match[group]) in real:
            found.append(MarkdownLink(match[group], *match.span(group)))
    return found
