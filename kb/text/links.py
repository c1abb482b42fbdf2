"""Where the Markdown of an answer leads: its addresses, and where they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from kb.text import markdown

# What may be one; the parser says what is. Linear: nothing is tried twice.
_WRITTEN = re.compile(
    r"\]\([ \t]*<?(?P<to>[^\s<>()]+)|^ {0,3}\[[^\]\n]{1,200}\]:[ \t]*<?(?P<at>[^\s<>]+)",
    re.M,
)


@dataclass(frozen=True, slots=True)
class Link:
    """`address` as it is written, from `start` to `end` of the source."""

    address: str
    start: int
    end: int


def of(source: str) -> list[Link]:
    """Return the links and pictures of `source`, in order; code has none."""
    written = list(_WRITTEN.finditer(source))
    if not written:
        return []
    real = {unquote(address) for address in markdown.addresses(source)}
    found = []
    for match in written:
        group = "to" if match["to"] else "at"
        if unquote(match[group]) in real:
            found.append(Link(match[group], *match.span(group)))
    return found
