"""An answer as its page shows it: the short answer, what follows, the contents."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kb.text import markdown
from kb.text.markdown import Heading

FEW = 3  # headings, below which a table of contents only takes room
_LEAD = re.compile(r"<p>(?:(?!</p>).)*</p>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reading:
    """HTML that `markdown.render` made, in two parts; `short` may be empty."""

    short: str
    rest: str
    contents: list[Heading]


def reading(html: str) -> Reading:
    """Return how the page of an entry shows its answer."""
    lead = _LEAD.match(html)
    short = lead[0] if lead and len(lead[0]) < len(html.strip()) else ""
    contents = markdown.headings(html)
    return Reading(short, html[len(short) :], contents if len(contents) >= FEW else [])
