"""A text as a chat tool shows it: no Markdown, links written out."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

BLOCKS = frozenset("p li h2 h3 h4 tr pre blockquote div".split())
_PICTURE = re.compile(r"!\[[^\]\n]*\]\([^()\s]*\)")
_LINK = re.compile(
    r"\[([^\]\n]*)\]\((https?://[^()\s]+|mailto:[^()\s]+|tel:[^()\s]+)\)"
)
_BOLD = re.compile(r"(?<!\*)\*\*(?![*\s])([^*\n]+?)(?<!\s)\*\*(?!\*)")
_HEADING = re.compile(r"^#{1,6}[ \t]+(?=\S)", re.MULTILINE)
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def of_reply(body: str) -> str:
    """Return a reply without the Markdown that editors write out of habit.

    A number that is masked with stars stays what it is.
    """
    body = _LINK.sub(lambda m: _written(m[1], m[2]), _PICTURE.sub("", body))
    for mark in (_BOLD, _CODE):
        body = mark.sub(r"\1", body)
    return _HEADING.sub("", body)


def of_answer(rendered: str, site: str) -> str:
    """Return HTML made by markdown.render as text, one block a line.

    Steps keep their numbers; `site` is what addresses of our own begin with.
    """
    reader = _Reader(site)
    reader.feed(rendered)
    reader.close()
    lines = "".join(reader.parts).split("\n")
    return "\n".join(line for raw in lines if (line := raw.strip()))


class _Reader(HTMLParser):
    """Collects text; a list item gets its number or a point."""

    def __init__(self, site: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._site = site
        self._lists: list[int] = []  # the next number of each open list; 0 is a point
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in BLOCKS or tag in {"br", "hr", "ol", "ul"}:
            self.parts.append("\n")
        if tag == "ol":
            start = given.get("start") or "1"
            self._lists.append(int(start) if start.isdecimal() else 1)
        elif tag == "ul":
            self._lists.append(0)
        elif tag == "li" and self._lists:
            self.parts.append(self._mark())
        elif tag == "a":
            picture = given.get("class") == "picture"
            where = "" if picture else given.get("href") or ""
            self._links.append((where, len(self.parts)))
        elif tag in {"td", "th"}:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.parts.append("\n")
        elif tag in {"ol", "ul"} and self._lists:
            self._lists.pop()
        elif tag == "a" and self._links:
            where, start = self._links.pop()
            said = "".join(self.parts[start:])
            if where and not where.startswith("#"):
                self.parts[start:] = [_written(said, urljoin(self._site, where))]

    def handle_data(self, data: str) -> None:
        self.parts.append(data.replace("\n", " ") if not data.strip() else data)

    def _mark(self) -> str:
        number = self._lists[-1]
        if not number:
            return "· "
        self._lists[-1] += 1
        return f"{number}. "


def _written(said: str, where: str) -> str:
    """Return a link in words; a space ends it, or Chinese would become part of it."""
    said, plain = said.strip(), re.sub("^(mailto|tel):", "", where)
    return f"{said}：{plain} " if said and said not in (where, plain) else f"{plain} "
