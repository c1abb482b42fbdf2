"""Words that ask for the same: find them in a text, and give the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kb.text.chinese.normalize import (
    HYPHENATED_WORD_PATTERN,
    join_hyphenated,
    normalize_text,
)


@dataclass(frozen=True, slots=True)
class SynonymGroup:
    """Members that find each other; one-way, the first finds the rest only."""

    members: tuple[str, ...]
    is_two_way: bool = True


class SynonymMatcher:
    """Synonym sets in force, ready to be looked for in texts.

    Of members that overlap in a text the longest counts. Latin members must
    stand as whole words: COD is not in code.
    """

    def __init__(self, sets: Iterable[SynonymGroup] = ()) -> None:
        self._synonyms_by_member: dict[str, list[str]] = {}
        for each in sets:
            members = list(
                dict.fromkeys(filter(None, map(_normalize_member, each.members)))
            )
            for member in members if each.is_two_way else members[:1]:
                others = self._synonyms_by_member.setdefault(member, [])
                others += [m for m in members if m != member and m not in others]
        self._lengths_by_first_character: dict[str, list[int]] = {}
        for member in self._synonyms_by_member:
            lengths = self._lengths_by_first_character.setdefault(member[0], [])
            if len(member) not in lengths:
                lengths.append(len(member))
                lengths.sort(reverse=True)

    def find_members(self, text: str) -> list[tuple[str, Sequence[str]]]:
        """Return (what stands in `text`, what means the same), in order.

        A word with a hyphen is the word without, if that is a member: wi-fi is WiFi.
        """
        spelling = HYPHENATED_WORD_PATTERN.sub(
            self._join_known_word, normalize_text(text)
        )
        found: dict[str, None] = {}
        start = 0
        while start < len(spelling):
            member = self._find_longest_member(spelling, start)
            if member:
                found[member] = None
            start += len(member) or 1
        return [(member, self._synonyms_by_member[member]) for member in found]

    def _join_known_word(self, word: re.Match[str]) -> str:
        one = join_hyphenated(word[0])
        return one if one in self._synonyms_by_member else word[0]

    def _find_longest_member(self, spelling: str, start: int) -> str:
        """Return the longest member that begins at `start`, "" when none does."""
        for length in self._lengths_by_first_character.get(spelling[start], ()):
            member = spelling[start : start + length]
            if member in self._synonyms_by_member and _is_whole_word(
                spelling, start, length
            ):
                return member
        return ""


def _normalize_member(member: str) -> str:
    return normalize_text(member).strip()


def _is_whole_word(spelling: str, start: int, length: int) -> bool:
    """Tell whether no Latin word goes on at either end."""
    return not any(
        _is_latin(spelling[edge - 1]) and _is_latin(spelling[edge])
        for edge in (start, start + length)
        if 0 < edge < len(spelling)
    )


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
