"""The {{> snippets}} of a text: texts that several replies include.

They are expanded first, before blanks are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_EXPANDED_CHARS = 20_000  # characters of a text with all that it includes
MAX_SNIPPET_NAME_CHARS = 30
INCLUDE_PATTERN = re.compile(r"\{\{[ \t]*>[ \t]*([^{}|\n\r]*?)[ \t]*\}\}")
_INVALID_NAME_PATTERN = re.compile(r"[{}|>\n\r]")


class ExpansionTooLongError(ValueError):
    """A text with all that it includes is longer than MAX_EXPANDED_CHARS."""


def list_included_snippets(body: str) -> list[str]:
    """Return what `body` includes, each once, in order."""
    return list(dict.fromkeys(INCLUDE_PATTERN.findall(body)))


def is_snippet_name(name: str) -> bool:
    return bool(name) and not _INVALID_NAME_PATTERN.search(name)


def expand_snippets(body: str, bodies: Mapping[str, str]) -> str:
    """Return `body` with the snippets that it includes, and those they include.

    `bodies` has them by name. An unknown name, or one that includes itself, stays as
    it is written. Raises ExpansionTooLongError.
    """
    return _SnippetExpander(bodies).expand_body(body, ())


def find_include_cycle(name: str, bodies: Mapping[str, str]) -> list[str]:
    """Return a path of includes from `name` to itself, [A, B, A]; [] if none."""
    ways = [[name]]
    seen = set()
    while ways:
        way = ways.pop()
        for target in list_included_snippets(bodies.get(way[-1], "")):
            if target == name:
                return [*way, name]
            if target not in seen:
                seen.add(target)
                ways.append([*way, target])
    return []


def find_including_snippets(name: str, bodies: Mapping[str, str]) -> set[str]:
    """Return the names of all that include `name`, directly or not; not itself."""
    found: set[str] = set()
    fresh = {name}
    while fresh:
        above = {
            n for n, body in bodies.items() if fresh & set(list_included_snippets(body))
        }
        fresh = above - found - {name}
        found |= fresh
    return found


def rename_includes(body: str, old: str, new: str) -> str:
    """Return `body` with `new` included wherever `old` was."""
    return INCLUDE_PATTERN.sub(
        lambda m: f"{{{{> {new}}}}}" if m[1] == old else m[0], body
    )


class _SnippetExpander:
    """Each snippet is put together once, however often it is included."""

    def __init__(self, bodies: Mapping[str, str]) -> None:
        self.bodies = bodies
        self.expanded_by_name: dict[str, str] = {}

    def expand_body(self, body: str, way: tuple[str, ...]) -> str:
        parts, end, length = list[str](), 0, 0
        for match in INCLUDE_PATTERN.finditer(body):
            included = self.expand_snippet(match[1], way)
            part = match[0] if included is None else included
            parts += [body[end : match.start()], part]
            end = match.end()
            length += len(parts[-1]) + len(parts[-2])
            if length > MAX_EXPANDED_CHARS:
                raise ExpansionTooLongError
        parts.append(body[end:])
        if length + len(parts[-1]) > MAX_EXPANDED_CHARS:
            raise ExpansionTooLongError
        return "".join(parts)

    def expand_snippet(self, name: str, way: tuple[str, ...]) -> str | None:
        if name in way or name not in self.bodies:
            return None
        if name not in self.expanded_by_name:
            self.expanded_by_name[name] = self.expand_body(
                self.bodies[name], (*way, name)
            )
        return self.expanded_by_name[name]
