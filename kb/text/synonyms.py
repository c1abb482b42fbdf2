"""Words that ask for the same: find them in a text, and give the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kb.text.normalize import HYPHENED, joined, normalize


@dataclass(frozen=True, slots=True)
class SynonymSet:
    """Members that find each other; one-way, the first finds the rest only."""

    members: tuple[str, ...]
    two_way: bool = True


class Synonyms:
    """Synonym sets in force, ready to be looked for in texts.

    Of members that overlap in a text the longest counts. Latin members must
    stand as whole words: COD is not in code.
    """

    def __init__(self, sets: Iterable[SynonymSet] = ()) -> None:
        self._others: dict[str, list[str]] = {}
        for each in sets:
            members = list(dict.fromkeys(filter(None, map(_spelling, each.members))))
            for member in members if each.two_way else members[:1]:
                others = self._others.setdefault(member, [])
                others += [m for m in members if m != member and m not in others]
        self._lengths: dict[str, list[int]] = {}
        for member in self._others:
            lengths = self._lengths.setdefault(member[0], [])
            if len(member) not in lengths:
                lengths.append(len(member))
                lengths.sort(reverse=True)

    def of(self, text: str) -> list[tuple[str, Sequence[str]]]:
        """Return (what stands in `text`, what means the same), in order.

        A word with a hyphen is the word without, if that is a member: wi-fi is WiFi.
        """
        spelling = HYPHENED.sub(self._joined, normalize(text))
        found: dict[str, None] = {}
        start = 0
        while start < len(spelling):
            member = self._at(spelling, start)
            if member:
                found[member] = None
            start += len(member) or 1
        return [(member, self._others[member]) for member in found]

    def _joined(self, word: re.Match[str]) -> str:
        one = joined(word[0])
        return one if one in self._others else word[0]

    def _at(self, spelling: str, start: int) -> str:
        """Return the longest member that begins at `start`, "" when none does."""
        for length in self._lengths.get(spelling[start], ()):
            member = spelling[start : start + length]
            if member in self._others and _stands_alone(spelling, start, length):
                return member
        return ""


def _spelling(member: str) -> str:
    return normalize(member).strip()


def _stands_alone(spelling: str, start: int, length: int) -> bool:
    """Tell whether no Latin word goes on at either end."""
    return not any(
        _is_latin(spelling[edge - 1]) and _is_latin(spelling[edge])
        for edge in (start, start + length)
        if 0 < edge < len(spelling)
    )


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
