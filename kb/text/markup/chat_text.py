"""A text as a chat tool shows it: no Markdown, links written out."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

BLOCK_TAGS = frozenset("p li h2 h3 h4 tr pre blockquote div".split())
_PICTURE_PATTERN = re.compile(r"!\[[^\]\n]*\]\([^()\s]*\)")
_LINK_PATTERN = re.compile(
    r"\[([^\]\n]*)\]\((https?://[^()\s]+|mailto:[^()\s]+|tel:[^()\s]+)\)"
)
_BOLD_PATTERN = re.compile(r"(?<!\*)\*\*(?![*\s])([^*\n]+?)(?<!\s)\*\*(?!\*)")
_HEADING_PATTERN = re.compile(r"^#{1,6}[ \t]+(?=\S)", re.MULTILINE)
_CODE_PATTERN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def format_reply_for_chat(body: str) -> str:
    """Return a reply without the Markdown that editors write out of habit.

    A number that is masked with stars stays what it is.
    """
    body = _LINK_PATTERN.sub(
        lambda m: _write_out_link(m[1], m[2]), _PICTURE_PATTERN.sub("", body)
    )
    for mark in (_BOLD_PATTERN, _CODE_PATTERN):
        body = mark.sub(r"\1", body)
    return _HEADING_PATTERN.sub("", body)


def format_answer_for_chat(rendered: str, site: str) -> str:
    """Return HTML made by markdown.render as text, one block a line.

    Steps keep their numbers; `site` is what addresses of our own begin with.
    """
    reader = _ChatTextParser(site)
    reader.feed(rendered)
    reader.close()
    lines = "".join(reader.parts).split("\n")
    return "\n".join(line for raw in lines if (line := raw.strip()))


class _ChatTextParser(HTMLParser):
    """Collects text; a list item gets its number or a point."""

    def __init__(self, site: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._site_url = site
        self._open_lists: list[
            int
        ] = []  # the next number of each open list; 0 is a point
        self._open_links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in BLOCK_TAGS or tag in {"br", "hr", "ol", "ul"}:
            self.parts.append("\n")
        if tag == "ol":
            start = given.get("start") or "1"
            self._open_lists.append(int(start) if start.isdecimal() else 1)
        elif tag == "ul":
            self._open_lists.append(0)
        elif tag == "li" and self._open_lists:
            self.parts.append(self._next_list_marker())
        elif tag == "a":
            picture = given.get("class") == "picture"
            where = "" if picture else given.get("href") or ""
            self._open_links.append((where, len(self.parts)))
        elif tag in {"td", "th"}:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCK_TAGS:
            self.parts.append("\n")
        elif tag in {"ol", "ul"} and self._open_lists:
            self._open_lists.pop()
        elif tag == "a" and self._open_links:
            where, start = self._open_links.pop()
            said = "".join(self.parts[start:])
            if where and not where.startswith("#"):
                self.parts[start:] = [
                    _write_out_link(said, urljoin(self._site_url, where))
                ]

    def handle_data(self, data: str) -> None:
        self.parts.append(data.replace("\n", " ") if not data.strip() else data)

    def _next_list_marker(self) -> str:
        number = self._open_lists[-1]
        if not number:
            return "· "
        self._open_lists[-1] += 1
        return f"{number}. "


def _write_out_link(said: str, where: str) -> str:
    """Return a link in words; a space ends it, or Chinese would become part of it."""
    said, plain = said.strip(), re.sub("^(mailto|tel):", "", where)
    return f"{said}：{plain} " if said and said not in (where, plain) else f"{plain} "
