"""An answer as its page shows it: the short answer, what follows, the contents."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kb.text.markup import markdown
from kb.text.markup.markdown import Heading

MIN_CONTENTS_HEADINGS = 3  # headings, below which a table of contents only takes room
_LEAD_PARAGRAPH_PATTERN = re.compile(r"<p>(?:(?!</p>).)*</p>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class AnswerLayout:
    """HTML that `markdown.render` made, in two parts; `short` may be empty."""

    short_answer: str
    remaining_answer: str
    headings: list[Heading]


def split_answer(html: str) -> AnswerLayout:
    """Return how the page of an entry shows its answer."""
    lead = _LEAD_PARAGRAPH_PATTERN.match(html)
    short = lead[0] if lead and len(lead[0]) < len(html.strip()) else ""
    contents = markdown.extract_headings(html)
    return AnswerLayout(
        short,
        html[len(short) :],
        contents if len(contents) >= MIN_CONTENTS_HEADINGS else [],
    )
