"""HTML that we made as a tree of names and texts, to be built without innerHTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

VOID = frozenset({"br", "hr", "img"})
Node = str | list[Any]  # a text, or [name, attributes, nodes]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[list[Any]] = [["", {}, []]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node: list[Any] = [tag, {name: value or "" for name, value in attrs}, []]
        self.open[-1][2].append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if len(self.open) > 1 and self.open[-1][0] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() or data == " ":
            self.open[-1][2].append(data)


def of(rendered: str) -> list[Node]:
    """Return the nodes of HTML that `markdown.render` made."""
    reader = _Reader()
    reader.feed(rendered)
    reader.close()
    nodes: list[Node] = reader.open[0][2]
    return nodes
