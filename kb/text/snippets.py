"""The {{> snippets}} of a text: what stands in several replies is written once.

They are put in before anything else is looked at, blanks too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LONGEST = 20_000  # characters of a text with all that it includes
LONGEST_NAME = 30
INCLUDE = re.compile(r"\{\{[ \t]*>[ \t]*([^{}|\n\r]*?)[ \t]*\}\}")
_NO_NAME = re.compile(r"[{}|>\n\r]")


class TooLong(ValueError):
    """A text with all that it includes is longer than LONGEST."""


def names(body: str) -> list[str]:
    """Return what `body` includes, each once, in order."""
    return list(dict.fromkeys(INCLUDE.findall(body)))


def is_name(name: str) -> bool:
    return bool(name) and not _NO_NAME.search(name)


def expand(body: str, bodies: Mapping[str, str]) -> str:
    """Return `body` with what it includes of `bodies`, by name, and they include.

    What is unknown, or includes itself, is left standing. Raises TooLong.
    """
    return _Expanding(bodies).text(body, ())


def circle(name: str, bodies: Mapping[str, str]) -> list[str]:
    """Return the way from `name` to itself, as [A, B, A], or nothing."""
    ways = [[name]]
    seen = set()
    while ways:
        way = ways.pop()
        for target in names(bodies.get(way[-1], "")):
            if target == name:
                return [*way, name]
            if target not in seen:
                seen.add(target)
                ways.append([*way, target])
    return []


def users(name: str, bodies: Mapping[str, str]) -> set[str]:
    """Return the names of all that include `name`, directly or not; not itself."""
    found: set[str] = set()
    fresh = {name}
    while fresh:
        above = {n for n, body in bodies.items() if fresh & set(names(body))}
        fresh = above - found - {name}
        found |= fresh
    return found


def renamed(body: str, old: str, new: str) -> str:
    """Return `body` with `new` included wherever `old` was."""
    return INCLUDE.sub(lambda m: f"{{{{> {new}}}}}" if m[1] == old else m[0], body)


class _Expanding:
    """Each snippet is put together once, however often it is included."""

    def __init__(self, bodies: Mapping[str, str]) -> None:
        self.bodies = bodies
        self.made: dict[str, str] = {}

    def text(self, body: str, way: tuple[str, ...]) -> str:
        parts, end, length = list[str](), 0, 0
        for match in INCLUDE.finditer(body):
            included = self.included(match[1], way)
            part = match[0] if included is None else included
            parts += [body[end : match.start()], part]
            end = match.end()
            length += len(parts[-1]) + len(parts[-2])
            if length > LONGEST:
                raise TooLong
        parts.append(body[end:])
        if length + len(parts[-1]) > LONGEST:
            raise TooLong
        return "".join(parts)

    def included(self, name: str, way: tuple[str, ...]) -> str | None:
        if name in way or name not in self.bodies:
            return None
        if name not in self.made:
            self.made[name] = self.text(self.bodies[name], (*way, name))
        return self.made[name]
