"""The {{blanks}} of a reply: find them, fill them in one pass, tell what is left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# A name has no braces, bars or line ends; what does not look so is plain text.
BLANK = re.compile(r"\{\{[ \t]*([^{}|\s](?:[^{}|\n\r]{0,28}[^{}|\s])?)[ \t]*\}\}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a reply: plain text, or a blank when `name` is set."""

    text: str
    name: str = ""


def pieces(body: str) -> list[Piece]:
    """Cut `body` into plain text and blanks, in order; joined they are `body`."""
    found: list[Piece] = []
    end = 0
    for match in BLANK.finditer(body):
        if match.start() > end:
            found.append(Piece(body[end : match.start()]))
        found.append(Piece(match[0], match[1]))
        end = match.end()
    if end < len(body):
        found.append(Piece(body[end:]))
    return found


def names(body: str) -> list[str]:
    """Return the names of the blanks of `body`, each once, in order."""
    return list(dict.fromkeys(piece.name for piece in pieces(body) if piece.name))


def shown(body: str) -> str:
    """Return `body` as it is read before it is filled, its blanks as 〔name〕."""
    return "".join(f"〔{p.name}〕" if p.name else p.text for p in pieces(body))


def fill(body: str, values: Mapping[str, str]) -> str:
    """Return `body` with its blanks replaced by `values`.

    One pass: a value that looks like a blank stays what it is. A blank without
    a value, or with an empty one, is left standing for `names` to find.
    """
    return "".join(values.get(p.name, "").strip() or p.text for p in pieces(body))
