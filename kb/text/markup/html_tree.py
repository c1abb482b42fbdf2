"""HTML that we made as a tree of names and texts, to be built without innerHTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

VOID_TAGS = frozenset({"br", "hr", "img"})
HtmlNode = str | list[Any]  # a text, or [name, attributes, nodes]


class _TreeParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open_nodes: list[list[Any]] = [["", {}, []]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node: list[Any] = [tag, {name: value or "" for name, value in attrs}, []]
        self.open_nodes[-1][2].append(node)
        if tag not in VOID_TAGS:
            self.open_nodes.append(node)

    def handle_endtag(self, tag: str) -> None:
        if len(self.open_nodes) > 1 and self.open_nodes[-1][0] == tag:
            self.open_nodes.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() or data == " ":
            self.open_nodes[-1][2].append(data)


def parse_html_tree(rendered: str) -> list[HtmlNode]:
    """Return the nodes of HTML that `markdown.render` made."""
    reader = _TreeParser()
    reader.feed(rendered)
    reader.close()
    nodes: list[HtmlNode] = reader.open_nodes[0][2]
    return nodes
